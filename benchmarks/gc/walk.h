/* SPDX-License-Identifier: MIT
 *
 * Write the graph of a workload's live heap, as far as this collector lets its heap be walked. */
#ifndef GC_WALK_H
#define GC_WALK_H

#include "benchmarks/gc/result.h"

/* Fills an empty graph, and says how many bytes the last cycle marked. 0 or -1 with *why. Each collector's. */
int backend_walk(struct amp_heap_graph *graph, uint64_t *marked_b, const char **why);

/* Writes task->file; an exit status. */
int walk_save(const struct workload *workload, const struct task *task);

#endif
