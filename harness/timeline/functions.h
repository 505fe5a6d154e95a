/* SPDX-License-Identifier: MIT
 *
 * A time line of the functions that a program calls, by uftrace (of the distribution, optional): for programs without
 * marks that were compiled with -pg or -finstrument-functions. */
#ifndef AMP_TIMELINE_FUNCTIONS_H
#define AMP_TIMELINE_FUNCTIONS_H

#include "harness/timeline/options.h"

/* The exit status: uftrace's, which is 0 if the program's is, or 2 after it has said why not. */
int amp_timeline_functions(const struct amp_timeline_options *options);

#endif
