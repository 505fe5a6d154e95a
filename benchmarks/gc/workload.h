/* SPDX-License-Identifier: MIT
 *
 * A workload of `gc`: a program that keeps a live heap of a given size and turns it over. It is written once, against
 * the interface of collector.h, and compiled for each collector; benchmarks/go/gc holds the same in Go.
 *
 *     set_up -------> run(mutator 0, bytes), run(mutator 1, bytes) at the same time
 *     the live heap   allocate so many bytes each; what is replaced becomes garbage
 *
 * The seed alone decides what is allocated, linked and dropped, so the checksum is the same under every collector. */
#ifndef GC_WORKLOAD_H
#define GC_WORKLOAD_H

#include "benchmarks/gc/type.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUTATORS 2 /* at most */

/* A pointer outside the heap, from which everything is reached. */
struct root {
    const char *name;
    void *at; /* the pointer's own address */
    const struct type *to;
};

struct workload {
    const char *name;
    const char *purpose; /* one sentence */
    unsigned mutators;
    struct type *const *types;
    size_t n_types;
    const struct root *roots;
    size_t n_roots;

    /* Allocate a live heap of at most live_b bytes, as asked for. Runs on mutator 0. */
    uint64_t (*set_up)(uint64_t live_b, uint64_t seed);
    /* Allocate at least `bytes` more, and drop as many. Returns a checksum of what was read. NULL: a shape, whose heap
     * is collected again and again as it is. */
    uint64_t (*run)(unsigned mutator, uint64_t bytes);
    bool collected; /* another thread collects again and again meanwhile */
    uint64_t (*live_b)(void); /* what is reachable between two operations, as asked for */
};

extern const struct workload cache, queue, tree, server;
extern const struct workload values, ordered, shuffled, list, balanced, stores, marked, churn; /* shapes.c */

#endif
