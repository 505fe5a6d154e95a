/* SPDX-License-Identifier: MIT
 *
 * The command line of ampersand-gc. Each wrong use is one line on stderr; functions return 0, or the exit status 2
 * after such a line. */
#ifndef AMP_COLLECTORS_OPTIONS_H
#define AMP_COLLECTORS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AMP_COLLECTORS = 3, AMP_GC_WORKLOADS = 4, AMP_GC_POINTS = 16 };

extern const char *const amp_collector_names[AMP_COLLECTORS]; /* ours, boehm, go */
extern const char *const amp_gc_workload_names[AMP_GC_WORKLOADS];

struct amp_collectors_options {
    const char *out, *resume; /* one of them: the run folder to make, or to continue with its own settings */
    const char *go;           /* the program of Go's workloads; NULL: there is none */
    const char *collectors[AMP_COLLECTORS];
    size_t n_collectors;
    bool by_name; /* the collectors were asked for: one that is missing is a failure */
    const char *workloads[AMP_GC_WORKLOADS];
    size_t n_workloads;
    uint64_t gogc[AMP_GC_POINTS], live_b[AMP_GC_POINTS];
    size_t n_gogc, n_live;
    unsigned launches, turnover, timeout_s;
    unsigned cycles;  /* of a point, in each launch; 0, in a run begun before there were any: `turnover` says it */
    uint64_t pauses; /* cycles in which pauses are counted */
    uint64_t memory_limit_b, seed, quiet_ns;
    bool draw_seed, no_wait, quick;
    const char *const *command; /* argv, for the manifest */
};

int amp_collectors_options_parse(int argc, char **argv, struct amp_collectors_options *out);

#endif
