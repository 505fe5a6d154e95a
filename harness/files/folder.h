/* SPDX-License-Identifier: MIT
 *
 * Makes run folders, refuses those that cannot be written, and removes what killed writers left.
 * Functions return 0 or a negative errno. */
#ifndef AMP_FOLDER_H
#define AMP_FOLDER_H

#include <limits.h>
#include <stdint.h>

/* The folder that a path is in; "." where the path names none. */
int amp_folder_of(const char *path, char out[PATH_MAX]);

/* Make the folder `path` and those above it that are missing. -ENOTDIR where a file is in the way. */
int amp_folder_make(const char *path);

/* Whether a run can be written into `dir` (made if missing): -ENOTEMPTY if it holds something that is not a run,
 * -EEXIST if it holds a run, -ENOTDIR if it is a file, -ENOSPC if less than need_b bytes are free, -EACCES or -EROFS
 * if it cannot be written. *why says it in words (static storage). Nothing is made on failure. */
int amp_folder_prepare(const char *dir, uint64_t need_b, const char **why);

/* Remove what killed writers left below `dir`: every "*.tmp". */
int amp_folder_clean(const char *dir);

#endif
