/* SPDX-License-Identifier: MIT
 *
 * Function, file and line of each place of a profile. */
#ifndef AMP_PROFILE_SYMBOLS_H
#define AMP_PROFILE_SYMBOLS_H

#include "harness/profile/samples/profile.h"

/* Name what can be named: by the debug information of the files, else by their symbols. Reads only files on this
 * machine. What a file does not tell stays unknown. 0, or a negative errno: -ENOTSUP, built without elfutils' libdw. */
int amp_symbols_name(struct amp_profile *profile);

/* Whether this build can name anything. */
bool amp_symbols_are_read(void);

#endif
