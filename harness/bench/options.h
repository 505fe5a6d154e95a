/* SPDX-License-Identifier: MIT
 *
 * What a run of pairs is asked for. */
#ifndef AMP_BENCH_OPTIONS_H
#define AMP_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
