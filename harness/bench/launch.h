/* SPDX-License-Identifier: MIT
 *
 * The launch loop: a plan of fresh children, run in random order, each a process of its own with ASLR on, another
 * stack offset and another size of environment; a journal that survives kill -9 of parent or child. */
#ifndef AMP_LAUNCH_H
#define AMP_LAUNCH_H

#include "harness/lesson/pair.h"

#include <stdbool.h>

struct amp_launch_options {
    const char *out;    /* the run folder to make */
    const char *resume; /* or the run folder to go on with; its manifest's settings and seed hold */
    const char *rows;   /* with resume: a file of the rows that get a block of launches more; NULL: no block */
    const char *filter; /* POSIX extended regular expression on row names, NULL: every row */
    unsigned launches;  /* paired launches a row */
    unsigned counts_launches, solo_launches;
    uint64_t seed;
    uint64_t epoch_ns;
    uint64_t quiet_ns; /* what the sensor reads on a quiet core: 0 until the run has found out */
    unsigned rounds_per_block;
    unsigned timeout_s; /* a child */
    uint64_t memory_limit_b;
    int layout; /* -1: the whole design */
    bool no_wait; /* for a quiet core: see quiet_wait.h */
    bool quick;
    double precision;  /* 0: the number of launches is fixed; else how well a row is to be known, see looks.h */
    unsigned looks;    /* with a precision: how often the run may be judged; else 0 */
    unsigned budget_s; /* with a precision: for the launches beyond the first */
    const char *const *command; /* argv of this program, for the manifest; NULL-terminated */
};

/* Run what the options ask for and return the exit status: 0 done, 1 some row failed, 2 the folder cannot be used
 * or nothing matches, 130 interrupted (what was finished is kept). Progress goes to stderr. */
int amp_launch_run(const struct amp_registry *registry, const struct amp_launch_options *options);

#endif
