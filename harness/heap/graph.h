/* SPDX-License-Identifier: MIT
 *
 * A heap as a graph: objects, the pointers between them, and the roots that they are reached from. Feed it what a walk
 * over a heap visits; then ask dominators.h and summary.h.
 *
 *     source (node 0) --> roots, one node for each name (no size) --> objects --> objects
 *
 * Functions return 0 or a negative errno. */
#ifndef AMP_HEAP_GRAPH_H
#define AMP_HEAP_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#define AMP_HEAP_SOURCE 0u
#define AMP_HEAP_NOBODY UINT32_MAX
#define AMP_HEAP_TYPES 256 /* at most, and as many roots' names */

struct amp_heap_graph {
    uint32_t n;        /* nodes: the source, the roots' names, then objects in the order in which they came */
    uint32_t n_roots;
    uint32_t n_types;
    const char *roots[AMP_HEAP_TYPES]; /* node 1 + i is roots[i]; borrowed */
    const char *types[AMP_HEAP_TYPES]; /* borrowed */
    uintptr_t *at;     /* of each node, as all that follows; roots and source have none */
    uint64_t *size_b;
    uint8_t *type;     /* of objects, into types */
    uint64_t *first;   /* edges of node v: first[v] to first[v + 1] - 1. After amp_heap_link() */
    uint32_t *to;
    uint64_t n_edges;
    /* While it is built */
    uint64_t cap, cap_edges, n_held, cap_held;
    struct amp_heap_held *held; /* which root holds what */
    uintptr_t *target;          /* of each edge, an address */
    uint64_t *count;            /* of each object, where its edges begin */
    int err;                    /* the first failure; all later calls do nothing */
};

/* Start with a graph of zeroes. Roots come first, then each object, followed by its edges. A failure is kept, and comes
 * from amp_heap_link(). root: where it is, such as a variable's name. */
void amp_heap_root(struct amp_heap_graph *graph, const char *where, const void *object);
void amp_heap_object(struct amp_heap_graph *graph, const void *at, uint64_t size_b, const char *type);
void amp_heap_edge(struct amp_heap_graph *graph, const void *to);

/* Turn addresses into nodes. What points to no object is left out.
 * errors   -ENOMEM; -ENOSPC beyond 2^32 - 2 objects, or AMP_HEAP_TYPES types or roots' names; -EEXIST if two objects
 *          are at one address */
int amp_heap_link(struct amp_heap_graph *graph);

void amp_heap_free(struct amp_heap_graph *graph);

#endif
