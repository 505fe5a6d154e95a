/* SPDX-License-Identifier: MIT
 *
 * The options of a run of allocator configurations. */
#ifndef AMP_ALLOCATORS_OPTIONS_H
#define AMP_ALLOCATORS_OPTIONS_H

#include "harness/allocators/program/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMP_CONFIGS 64 /* words on a command line */

struct amp_matrix_options {
    const char *out;                  /* the run folder to make */
    const char *resume;               /* or the run folder to continue, with the settings of its manifest */
    const char *configs[AMP_CONFIGS]; /* words of the command line; none: every file in benchmarks/allocators */
    size_t n_configs;
    const char *workload; /* POSIX extended regular expression on workloads' names, NULL: every workload */
    const char *baseline; /* the configuration that all others are divided by; always measured */
    unsigned launches, timeline_launches, timeline_s;
    unsigned timeout_s; /* of each child */
    uint64_t memory_limit_b, seed;
    uint64_t quiet_ns; /* the sensor's reading on a quiet core; 0: not known yet */
    bool no_wait;      /* neither wait for a quiet core nor measure again: see quiet_wait.h */
    bool quick;
    const char *traces[AMP_CONFIGS]; /* files that are replayed as workloads, besides those in benchmarks/traces */
    size_t n_traces;
    struct amp_program program; /* measured in the place of workloads, if n_command is not 0 */
    const char *const *command; /* argv of this program, for the manifest; NULL-terminated */
};

#endif
