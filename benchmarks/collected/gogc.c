/* SPDX-License-Identifier: MIT
 *
 * A larger heap is collected less often. Is it faster?
 *
 *   GOGC 100   [live][    ]              collected at twice what is alive: four times for four times as many bytes
 *   GOGC 400   [live][                ]  at five times: once
 *
 *   gogc          the live heap is a table of pointers to objects: marking it takes time
 *   gogc_values   it is one array without pointers: marking takes next to none, and what is left is the caches
 *
 * Same on both sides:  the live heap; so many objects of 64 B that die at once, in one word of which each is written.
 * Different:           after how many of these the heap is collected, and so over how much memory they go.
 *
 * An operation allocates four times the live heap's bytes. */
#ifndef LIVE_KIB

#include "benchmarks/collected/heap.h"

#define TIMES 4

struct fixture {
    struct heap heap;
    uint64_t between; /* objects between two collections */
    uint64_t all;     /* of an operation */
};

struct job {
    const struct fixture *f;
    uint64_t ops;
};

AMP_GROWS(uint64_t, allocate_all, 128, void *arg)
{
    const struct job *j = arg;
    const struct fixture *f = j->f;
    uint64_t sum = 0;

    for (uint64_t i = j->ops; i > 0; i--)
        for (uint64_t done = 0; done < f->all; done += f->between) {
            for (uint64_t k = 0; k < f->between; k++) {
                struct object *object = new_object(&f->heap.types[VALUE]);

                object->words[0] = i + k;
                amp_keep(object);
                sum += object->words[0] - k;
            }
            must_here(amp_gc_collect(f->heap.gc));
        }
    return sum;
}

static uint64_t run(void *memory, uint64_t ops)
{
    struct job j = { memory, ops };
    uint64_t sum = 0;

    must(amp_gc_mutator_run(j.f->heap.mutator, allocate_all, &j, &sum));
    return sum;
}

static void *set_up(size_t live_b, heap_make *make, unsigned times)
{
    struct fixture *f = amp_alloc(sizeof *f);

    heap_begin(&f->heap);
    heap_build(&f->heap, make, live_b);
    f->all = TIMES * live_b / sizeof(struct object);
    f->between = f->all / TIMES * times;
    return f;
}

#define SET_UP(name, make, times)                                                                                      \
    static void *set_up_##name(size_t live_b)                                                                          \
    {                                                                                                                  \
        return set_up(live_b, make, times);                                                                            \
    }

SET_UP(100, make_ordered, 1)
SET_UP(400, make_ordered, TIMES)
SET_UP(100_values, make_values, 1)
SET_UP(400_values, make_values, TIMES)

static void tear_down(void *memory)
{
    struct fixture *f = memory;

    heap_end(&f->heap);
    free(f);
}

#define SIDE(of, name)                                                                                                 \
    { run, .label = name, .set_up = of, .tear_down = tear_down, .collected = heap_count,                               \
      .allocs_per_op = TIMES * LIVE_B / sizeof(struct object), .bytes_per_op = TIMES * LIVE_B }
#define LIVE_B ((size_t) LIVE_KIB << 10)
#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, LIVE_KIB)

#define LIVE_KIB 64
#include "benchmarks/collected/gogc.c"
#define LIVE_KIB 512
#include "benchmarks/collected/gogc.c"

#else /* the pairs, for one live heap */

AMP_PAIR(gogc,
         .question = "With a live heap of pointers, what does allocating cost at GOGC 100, and at 400?",
         .value = SIDE(set_up_100, "GOGC 100"), .pointer = SIDE(set_up_400, "GOGC 400"), .sizes = AMP_SIZES(LIVE_B),
         AMP_CLAIMS({ AMP_POINTER, .text =
                      "Where marking costs, a larger heap is marked less often: memory buys time." }));

AMP_PAIR(gogc_values,
         .question = "With a live heap without pointers, what does allocating cost at GOGC 100, and at 400?",
         .value = SIDE(set_up_100_values, "GOGC 100"), .pointer = SIDE(set_up_400_values, "GOGC 400"),
         .sizes = AMP_SIZES(LIVE_B),
         AMP_CLAIMS({ AMP_POINTER, .to = 64 << 10, .text =
                      "A tiny heap is collected so often that the stops count, whatever is in it." },
                    { AMP_NEITHER, .from = 512 << 10, .text =
                      "Where the live heap has no pointers, a larger heap is not faster: there is nothing to mark." }));

#undef LIVE_KIB
#endif
