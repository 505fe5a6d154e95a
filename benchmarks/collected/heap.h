/* SPDX-License-Identifier: MIT
 *
 * A heap for the lessons about ampersand's collector: it collects only when a kernel tells it to, on the kernel's own
 * thread and to the end, so that both sides of a pair do the same each time. What else `gc` measures, with a worker
 * beside the program, is in benchmarks/gc. */
#ifndef COLLECTED_HEAP_H
#define COLLECTED_HEAP_H

#include "benchmarks/gc/shape.h"
#include "harness/kernel.h"

enum { VALUE, OBJECT, SLOT, TYPES };

/* Its live heap is what its shape's two roots lead to. */
struct heap {
    struct amp_gc *gc;
    struct amp_gc_mutator *mutator;
    struct shape shape;
    struct type types[TYPES];
    uint16_t words[TYPES][OURS_MEMBERS];
};

static inline void must(int error)
{
    if (__builtin_expect(error != 0, 0))
        _exit(AMP_EXIT_NO_MEMORY);
}

uint64_t ours_fail(void *unused)
{
    (void) unused;
    _exit(AMP_EXIT_NO_MEMORY);
}

/* The same on the heap's stack. */
static inline void must_here(int error)
{
    if (__builtin_expect(error != 0, 0))
        amp_stack_call(ours_fail, NULL);
}

static inline void heap_begin(struct heap *h)
{
    const struct type types[TYPES] = { VALUE_TYPE, OBJECT_TYPE, TABLE_TYPE };
    const struct amp_gc_limits limits = { .gogc = 10000, .reserve_b = (size_t) 1 << 28, .minimum_b = (size_t) 1 << 30,
                                          .modes = AMP_GC_STEP };
    const char *why;

    memset(h, 0, sizeof *h);
    memcpy(h->types, types, sizeof types);
    h->shape = (struct shape){ .value = &h->types[VALUE], .object = &h->types[OBJECT], .slot = &h->types[SLOT] };
    must(amp_gc_create(&limits, &h->gc, &why));
    for (unsigned i = 0; i < TYPES; i++)
        must(ours_add_type(h->gc, &h->types[i], h->words[i]));
    must(amp_gc_root_add(h->gc, "top", &h->shape.top, sizeof h->shape.top));
    must(amp_gc_root_add(h->gc, "table", &h->shape.table, sizeof h->shape.table));
    must(amp_gc_mutator_make(h->gc, "kernel", NULL, &h->mutator));
}

static inline void heap_end(struct heap *h)
{
    amp_gc_mutator_free(h->mutator);
    must(amp_gc_destroy(h->gc));
}

typedef uint64_t heap_make(struct shape *shape, uint64_t live_b, uint64_t seed);

struct heap_made {
    struct heap *h;
    heap_make *make;
    uint64_t live_b;
};

AMP_GROWS(uint64_t, heap_fill, 96, void *arg)
{
    const struct heap_made *made = arg;
    uint64_t objects = made->make(&made->h->shape, made->live_b, 1);

    amp_keep(made);
    return objects;
}

/* So many bytes of objects in the heap, in that shape; then the first collection, in which the queue gets its size. */
static inline void heap_build(struct heap *h, heap_make *make, uint64_t live_b)
{
    struct heap_made made = { h, make, live_b };

    must(amp_gc_mutator_run(h->mutator, heap_fill, &made, NULL));
    must(amp_gc_collect(h->gc));
}

/* What the collector has counted, for a pair's `collected`; a heap is the first member of its fixture. */
static inline void heap_count(void *fixture, struct amp_collected *out)
{
    const struct heap *h = fixture;
    struct amp_gc_stats stats;

    amp_gc_stats(h->gc, &stats);
    *out = (struct amp_collected){ .allocs = stats.allocated_objects,
                                   .frees = stats.freed_objects,
                                   .bytes = stats.allocated_b,
                                   .live_b = stats.live_b,
                                   .peak_b = stats.peak_heap_b };
}

#endif
