/* SPDX-License-Identifier: MIT
 *
 * A run of pairs: many child processes in random order, each with ASLR, a stack offset and a size of the environment of
 * its own; and a journal that survives kill -9 of parent and child. */
#ifndef AMP_LAUNCH_H
#define AMP_LAUNCH_H

#include "harness/bench/options.h"
#include "harness/lesson/pair.h"

/* Measure what the options select, and return the exit status: 0 done, 1 some row failed, 2 the folder cannot be used
 * or nothing matches, 130 interrupted (what was finished is kept). Progress goes to stderr. */
int amp_launch_run(const struct amp_registry *registry, const struct amp_launch_options *options);

#endif
