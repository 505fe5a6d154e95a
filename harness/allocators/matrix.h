/* SPDX-License-Identifier: MIT
 *
 * Allocator configurations x workloads: a probe of every configuration, then fresh children of ampersand-workload in
 * blocks.
 *
 *     block 1                                             block 2
 *     threads_2: tcache-off, jemalloc, mimalloc, ...      large_blocks: glibc, ...
 *     small_churn: glibc, tcache-off, jemalloc, ...       ...
 *
 * Within a block the workloads come in random order, and so do the configurations within a workload. So each ratio
 * compares two processes that ran within seconds of each other with the same random seed. Timelines, which show memory
 * over time, run at the end, many at the same time, since they mostly sleep. */
#ifndef AMP_MATRIX_H
#define AMP_MATRIX_H

#include "harness/allocators/options.h"
#include "harness/lesson/pair.h"

/* Do a run, and return the exit status: 0 done; 1 a column was wrong or failed, or was asked for by name and is not in
 * force, or a cell failed (all others are measured); 2 the folder cannot be used, nothing matches, or the baseline
 * cannot be used; 130 interrupted (what was finished is kept). Progress goes to stderr. */
int amp_matrix_run(const struct amp_registry *registry, const struct amp_matrix_options *options);

#endif
