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

#include "harness/allocators/options.h"
#include "harness/lesson/pair.h"

/* Exit status: 0 done; 1 a column was wrong or failed, or was not in force though asked for by name, or a cell failed,
 * and all others are measured; 2 the folder cannot be used, nothing matches, or the baseline cannot be had; 130
 * interrupted, what was finished is kept. Progress goes to stderr. */
int amp_matrix_run(const struct amp_registry *registry, const struct amp_matrix_options *options);

#endif
