/* SPDX-License-Identifier: MIT
 *
 * Profiles both sides of a row of a pair. */
#ifndef AMP_PROFILE_ROW_H
#define AMP_PROFILE_ROW_H

#include "harness/profile/run.h"

/* `options` of both sides but for what they run; each side's file is named by its own. The exit status. */
int amp_row_profile(const char *row, const struct amp_run_options *options);

#endif
