/* SPDX-License-Identifier: MIT
 *
 * The options of a run of pairs. */
#ifndef AMP_BENCH_OPTIONS_H
#define AMP_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct amp_launch_options {
    const char *out;    /* the run folder to make */
    const char *resume; /* or the run folder to continue, with the settings and the seed of its manifest */
    const char *rows;   /* with resume: a file with the rows that get another block of launches; NULL: no block */
    const char *solo_rows; /* the same, of solo launches; only one of the two */
    const char *filter; /* POSIX extended regular expression on row names, NULL: every row */
    const char *shard;  /* "K/N": only every Nth pair, from the Kth, besides what each run needs; NULL: every pair */
    unsigned launches;  /* paired launches a row */
    unsigned counts_launches, solo_launches;
    /* How often it may be judged from them whether the sides disturb each other; 0: once, at last. */
    unsigned solo_looks;
    uint64_t seed;
    uint64_t epoch_ns;
    uint64_t quiet_ns; /* the sensor's reading on a quiet core; 0: not known yet */
    unsigned rounds_per_block;
    unsigned timeout_s; /* of each child */
    uint64_t memory_limit_b;
    int layout; /* the only layout to measure; -1: all */
    bool no_wait; /* for a quiet core: see quiet_wait.h */
    bool quick;
    double precision;  /* 0: the number of launches is fixed; else how precisely to know a row, see looks.h */
    unsigned looks;    /* with a precision: how often the run may be judged; else 0 */
    unsigned budget_s; /* with a precision: time for the launches after the first ones */
    const char *const *command; /* argv of this program, for the manifest; NULL-terminated */
};

#endif
