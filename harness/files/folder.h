/* SPDX-License-Identifier: MIT
 *
 * Makes run folders, refuses those that cannot be written, and removes what killed writers left.
 * Functions return 0 or a negative errno. */
#ifndef AMP_FOLDER_H
#define AMP_FOLDER_H

#include <limits.h>
#include <stdint.h>

/* The folder of a path; "." if the path has none. */
int amp_folder_of(const char *path, char out[PATH_MAX]);

/* Make the folder `path`, and those above it that are missing. -ENOTDIR if a file is in the way. */
int amp_folder_make(const char *path);

/* Make sure that a run can be written into `dir`, and make it if it is missing. -ENOTEMPTY if it holds something that
 * is not a run, -EEXIST if it holds a run, -ENOTDIR if it is a file, -ENOSPC if less than need_b bytes are free,
 * -EACCES or -EROFS if it cannot be written. *why says it in words (static storage). On failure nothing is made. */
int amp_folder_prepare(const char *dir, uint64_t need_b, const char **why);

/* Remove every "*.tmp" below `dir`, which killed writers left. */
int amp_folder_clean(const char *dir);

#endif
