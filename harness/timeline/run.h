/* SPDX-License-Identifier: MIT
 *
 * Runs a program or a row, records when what happened, and writes that. */
#ifndef AMP_TIMELINE_RUN_H
#define AMP_TIMELINE_RUN_H

#include "harness/timeline/options.h"

/* Each returns the exit status: the program's, or 2 after it has said why not. */
int amp_timeline_program(const struct amp_timeline_options *options);
int amp_timeline_row(const struct amp_timeline_options *options);
int amp_timeline_from(const struct amp_timeline_options *options);

#endif
