/* SPDX-License-Identifier: MIT
 *
 * The command lines of profile, profile --copies and record: flags of ours, then `--` and a program of the user's. */
#ifndef AMP_PROFILE_FLAGS_H
#define AMP_PROFILE_FLAGS_H

#include <getopt.h>
#include <stdbool.h>

#define AMP_FLAGS_END 0    /* what follows, from optind on, is no flag */
#define AMP_FLAGS_WRONG -1 /* it has said what is wrong: exit status 2 */

/* The next flag: `o` for -o, of a long one its `val`; optarg is its value. `none` is said of one that is not known. */
int amp_flags_next(int argc, char **argv, const struct option *known, const char *none);

/* The value of --format. 0, or exit status 2 after it has said that it is none. */
int amp_flags_format(const char *value, bool *is_json);

/* Whether a program stands behind the flags and a `--`. */
bool amp_flags_have_program(int argc, char **argv);

#endif
