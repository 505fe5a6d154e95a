/* SPDX-License-Identifier: MIT
 *
 * Dominators: node d dominates v if every path from the source to v goes through d. So what d dominates becomes garbage
 * with d: its retained size is the size of all that it dominates, itself included.
 *
 * source   T. Lengauer, R. E. Tarjan: A fast algorithm for finding dominators in a flowgraph, TOPLAS 1(1), 1979; the
 *          simple variant, O(m log n). Nothing here recurs: a list of a million objects is a path of a million
 *          nodes. */
#ifndef AMP_HEAP_DOMINATORS_H
#define AMP_HEAP_DOMINATORS_H

#include "harness/heap/graph.h"

struct amp_heap_dominators {
    uint32_t reached;    /* nodes, the source included */
    uint32_t *order;     /* these, each after the node that dominates it: order[0] is the source */
    uint32_t *immediate; /* of each node the dominator next to it; AMP_HEAP_NOBODY: of the source, and if not reached */
    uint64_t *retained_b;
};

/* Of a linked graph. 0 or -ENOMEM; free it also then. */
int amp_heap_dominate(const struct amp_heap_graph *graph, struct amp_heap_dominators *out);
void amp_heap_dominators_free(struct amp_heap_dominators *dominators);

#endif
