/* SPDX-License-Identifier: MIT
 *
 * Facts from the kernel's small text files, in /proc and /sys. */
#ifndef AMP_MACHINE_FILES_H
#define AMP_MACHINE_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Read a file's first line, without its newline, cut to `cap`; false if it cannot be read or is empty. `path` is a
 * printf format. */
__attribute__((format(printf, 3, 4))) bool amp_machine_line(char *out, size_t cap, const char *path, ...);

/* The value of the line "key : value" (or "key: value") of a file such as /proc/cpuinfo. */
bool amp_machine_value(char *out, size_t cap, const char *path, const char *key);

/* The only number in a file's first line, or null. */
json_t *amp_machine_integer(const char *path);

#endif
