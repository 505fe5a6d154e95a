/* SPDX-License-Identifier: MIT
 *
 * Writes result files, whole or not at all. results/SCHEMA.md says what is in them.
 * Functions return 0 or a negative errno. */
#ifndef AMP_RESULTS_H
#define AMP_RESULTS_H

#include <jansson.h>
#include <stdint.h>

/* Make `path` hold `value`: written beside it as "<path>.tmp", flushed to the disk, renamed. Makes missing folders.
 * On failure neither the file nor the .tmp stays. `value` is borrowed. */
int amp_results_write(const char *path, const json_t *value);

/* Append one object as a line to `path` and flush it to the disk; a line that a killed writer left unfinished is
 * closed first. */
int amp_results_append(const char *path, const json_t *value);

/* Whether a run can be written into `dir` (made if missing): -ENOTEMPTY if it holds something that is not a run,
 * -EEXIST if it holds a run, -ENOSPC if less than need_b bytes are free. *why says it in words. */
int amp_results_prepare(const char *dir, uint64_t need_b, const char **why);

#endif
