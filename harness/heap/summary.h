/* SPDX-License-Identifier: MIT
 *
 * A heap in a few lines: by type, by path, and its largest objects.
 *
 * By path: a tree of types along dominators. What a `table` dominates at first hand stands below it, by type; objects
 * of one type that dominate each other, as in a list, are one line. The lines' own bytes add up to the live bytes, and
 * a line's retained bytes are its own and those of the lines below. */
#ifndef AMP_HEAP_SUMMARY_H
#define AMP_HEAP_SUMMARY_H

#include "harness/heap/dominators.h"

#define AMP_HEAP_SEVERAL "several roots"

struct amp_heap_line {
    const char *name;   /* a type's, or a root's; AMP_HEAP_SEVERAL above what no single root holds */
    int64_t parent;     /* the line above; -1: none */
    uint64_t objects, own_b, retained_b;
};

struct amp_heap_large {
    const char *type;
    uint64_t size_b, retained_b;
    const char *steps[12]; /* from a root, the shortest way: its name, then types; of a longer way the ends */
    size_t n_steps;
    uint64_t length; /* pointers on that way */
};

#define AMP_HEAP_LARGEST 16

struct amp_heap_summary {
    uint64_t objects, live_b;                    /* reached */
    uint64_t dropped_objects, dropped_b;         /* there, but not reached */
    struct amp_heap_line *types, *paths;         /* of types retained_b counts no object twice; parent is -1 */
    size_t n_types, n_paths;
    /* By retained size; objects that another one of them retains, too. */
    struct amp_heap_large largest[AMP_HEAP_LARGEST];
    size_t n_largest;
};

/* 0 or -ENOMEM; free it also then. Names are the graph's. */
int amp_heap_summarise(const struct amp_heap_graph *graph, const struct amp_heap_dominators *dominators,
                       struct amp_heap_summary *out);
void amp_heap_summary_free(struct amp_heap_summary *summary);

#endif
