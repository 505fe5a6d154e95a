/* SPDX-License-Identifier: MIT
 *
 * What a run of allocator configurations is asked for. */
#ifndef AMP_ALLOCATORS_OPTIONS_H
#define AMP_ALLOCATORS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
