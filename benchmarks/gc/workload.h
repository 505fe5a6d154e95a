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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUTATORS 2 /* at most */

/* ---- The types of its objects: what is a pointer in them */

struct member {
    const char *name;
    size_t offset_b;
};

struct type {
    const char *name;
    size_t size_b; /* of an array, of one item */
    const struct member *members; /* its pointers; none: the collector need not look into it */
    size_t n_members;
    unsigned id; /* the collector's, once it has started */
};

#define MEMBERS(...)                                                                                                   \
    .members = (const struct member[]){ __VA_ARGS__ },                                                                 \
    .n_members = sizeof((const struct member[]){ __VA_ARGS__ }) / sizeof(struct member)

/* ---- The workload */

/* A pointer outside the heap, from which everything is reached. */
struct root {
    const char *name;
    void *at; /* the pointer's own address */
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
    bool protects;  /* the write barrier is by protected pages, if the collector has that */
    const uint64_t *timed_ns; /* the part of run() that counts; NULL: all of it */
    uint64_t (*live_b)(void); /* what is reachable between two operations, as asked for */
};

extern const struct workload cache, queue, tree, server;
extern const struct workload values, ordered, shuffled, list, balanced, stores, marked, fresh, loop, checked,
    churn; /* shapes.c */

#endif
