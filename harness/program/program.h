/* SPDX-License-Identifier: MIT
 *
 * Which program of the user's would run, and whether a library can be put between it and its allocator. */
#ifndef AMP_PROGRAM_CHECK_H
#define AMP_PROGRAM_CHECK_H

#include <stddef.h>

/* Find what the shell would start. Returns an exit status: 0, or 2 after it has said why nothing can be preloaded into
 * it, or why that would be of no use: not there, not executable, statically linked, run with another user's rights, or
 * with an allocator of its own built in. Of a script its interpreter counts, and that is said. `path` gets the file. */
int amp_program_check(const char *program, char *path, size_t cap);

/* The same for what has nothing to do with its allocator, which it may define itself. */
int amp_program_check_code(const char *program, char *path, size_t cap);

#endif
