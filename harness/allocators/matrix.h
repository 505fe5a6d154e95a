/* SPDX-License-Identifier: MIT
 *
 * Allocator configurations x workloads: a probe of every configuration, then fresh children of ampersand-workload in
 * blocks.
 *
 *     block 1                                             block 2
 *     threads_2: tcache-off, jemalloc, mimalloc, ...      large_blocks: glibc, ...
 *     small_churn: glibc, tcache-off, jemalloc, ...       ...
 *
 * Within a block the workloads come in random order, and within a workload the configurations do: what is divided by
 * each other later was measured within seconds, with the same random draws in the workload. Timelines of memory over
 * time run at the end, many at once, since they sleep. */
#ifndef AMP_MATRIX_H
#define AMP_MATRIX_H

#include "harness/lesson/pair.h"

#include <stdbool.h>

#define AMP_CONFIGS 64 /* words on a command line */

struct amp_matrix_options {
    const char *out;                  /* the run folder to make */
    const char *resume;               /* or the run folder to go on with; its manifest's settings hold */
    const char *configs[AMP_CONFIGS]; /* as on the command line; none: every file of the shipped folder */
    size_t n_configs;
    const char *workload; /* POSIX extended regular expression on workloads' names, NULL: every workload */
    const char *baseline; /* name of the configuration that all are divided by; measured whether asked for or not */
    unsigned launches, timeline_launches, timeline_s;
    unsigned timeout_s; /* a child */
    uint64_t memory_limit_b, seed;
    uint64_t quiet_ns; /* what the sensor reads on a quiet core: 0 until the run has found out */
    bool no_wait;      /* for a quiet core, and never measure again: see quiet_wait.h */
    bool quick;
    const char *const *command; /* argv of this program, for the manifest; NULL-terminated */
};

/* Exit status: 0 done; 1 a column was wrong or failed, or was not in force though asked for by name, or a cell failed,
 * and all others are measured; 2 the folder cannot be used, nothing matches, or the baseline cannot be had; 130
 * interrupted, what was finished is kept. Progress goes to stderr. */
int amp_matrix_run(const struct amp_registry *registry, const struct amp_matrix_options *options);

#endif
