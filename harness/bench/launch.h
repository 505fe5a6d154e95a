/* SPDX-License-Identifier: MIT
 *
 * The launch loop: a plan of fresh children, run in random order, each a process of its own with ASLR on, another
 * stack offset and another size of environment; a journal that survives kill -9 of parent or child. */
#ifndef AMP_LAUNCH_H
#define AMP_LAUNCH_H

#include "harness/bench/options.h"
#include "harness/lesson/pair.h"

/* Run what the options ask for and return the exit status: 0 done, 1 some row failed, 2 the folder cannot be used
 * or nothing matches, 130 interrupted (what was finished is kept). Progress goes to stderr. */
int amp_launch_run(const struct amp_registry *registry, const struct amp_launch_options *options);

#endif
