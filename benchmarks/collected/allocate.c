/* SPDX-License-Identifier: MIT
 *
 * Allocate less, and what it takes off the collector.
 *
 *   call_collected    value     caller --[64 B]--> callee                 a copy for each call
 *                     pointer   caller --[ & ]---> callee                 an object for each call: [64 B]
 *   reuse_collected   reused    [64 B] <-- written again, and again       one object for all
 *                     new       [64 B] [64 B] [64 B] ...                  one for each
 *   arena_collected   arena     [64 B|64 B|64 B| ... ] x 16               blocks of 256, a pointer moved up for each
 *                     objects   [64 B] [64 B] [64 B] ...                  one for each
 *
 * Same on both sides:  4,096 uses of 64 B, all of which are written and two words of which a callee reads; 256 KiB of
 *                      other objects that stay alive, behind a table of pointers.
 * Different:           what is allocated for the uses. Where anything is, the heap is collected once: 4,096 objects of
 *                      64 B are what a heap of 256 KiB may grow by at GOGC 100. Who allocates nothing collects nothing.
 *
 * An operation is the 4,096 uses with that collection. Allocations and bytes are those that the collector counts. */
#include "benchmarks/collected/heap.h"

#define USES 4096
#define BLOCK 256 /* things in a block of the arena */
#define LIVE_B (USES * sizeof(struct thing))

struct thing {
    uint64_t words[8];
};

struct fixture {
    struct heap heap;
    struct type thing, block;
};

struct job {
    struct fixture *f;
    uint64_t ops;
};

/* No word is the number itself: clang would store that one alone, and copy it with its neighbour, which no store buffer
 * forwards. */
static AMP_ALWAYS_INLINE void fill(struct thing *thing, uint64_t number)
{
    for (unsigned k = 0; k < 8; k++)
        thing->words[k] = number + k + 1;
    amp_keep(thing);
}

/* So many operations: `begin` before its uses, `make` says where the thing of use k is, `end` after them. Each kernel
 * has a callee of its own: no layout moves code that the sides share. */
#define KERNEL(name, parameter, argument, read, begin, make, end)                                                      \
    static AMP_NOINLINE uint64_t take_##name(parameter)                                                                \
    {                                                                                                                  \
        return thing read words[0] + thing read words[7];                                                              \
    }                                                                                                                  \
                                                                                                                       \
    AMP_GROWS(uint64_t, loop_##name, 256, void *arg)                                                                   \
    {                                                                                                                  \
        const struct job *j = arg;                                                                                     \
        const struct fixture *f = j->f;                                                                                \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        (void) f;                                                                                                      \
        for (uint64_t i = j->ops; i > 0; i--) {                                                                        \
            begin;                                                                                                     \
            for (uint64_t k = 0; k < USES; k++) {                                                                      \
                make;                                                                                                  \
                fill(thing, i + k);                                                                                    \
                sum += take_##name(argument);                                                                          \
            }                                                                                                          \
            end;                                                                                                       \
        }                                                                                                              \
        return sum;                                                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static uint64_t run_##name(void *memory, uint64_t ops)                                                             \
    {                                                                                                                  \
        struct job j = { memory, ops };                                                                                \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        must(amp_gc_mutator_run(j.f->heap.mutator, loop_##name, &j, &sum));                                            \
        return sum;                                                                                                    \
    }

#define BY_POINTER(name, begin, make, end) KERNEL(name, const struct thing *thing, thing, ->, begin, make, end)
#define NEW(name)                                                                                                      \
    BY_POINTER(name, , struct thing *thing = new_object(&f->thing), must_here(amp_gc_collect(f->heap.gc)))

KERNEL(value, struct thing thing, local, ., , struct thing local; struct thing *thing = &local, )
NEW(pointer)
BY_POINTER(reused, struct thing *thing = f->heap.shape.top, , )
NEW(new)
BY_POINTER(arena, struct thing *block = NULL,
           if (k % BLOCK == 0) block = new_object(&f->block);
           struct thing *thing = &block[k % BLOCK], must_here(amp_gc_collect(f->heap.gc)))
NEW(single)

/* The object that is used again is a value of the live heap. */
FUNCTION(uint64_t, make_live, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    uint64_t n = make_ordered(s, live, seed);

    STORE(s->top, new_object(s->value));
    return n;
}

static void *set_up(size_t size)
{
    struct fixture *f = amp_alloc(sizeof *f);

    (void) size;
    f->thing = (struct type){ .name = "thing", .size_b = sizeof(struct thing) };
    f->block = (struct type){ .name = "block", .size_b = BLOCK * sizeof(struct thing) };
    heap_begin(&f->heap);
    must(ours_add_type(f->heap.gc, &f->thing, NULL));
    must(ours_add_type(f->heap.gc, &f->block, NULL));
    heap_build(&f->heap, make_live, LIVE_B);
    return f;
}

static void tear_down(void *memory)
{
    struct fixture *f = memory;

    heap_end(&f->heap);
    free(f);
}

#define SIDE(of, allocs, bytes, ...)                                                                                   \
    { of, .allocs_per_op = allocs, .bytes_per_op = bytes, .set_up = set_up, .tear_down = tear_down,                    \
      .collected = heap_count, __VA_ARGS__ }
#define THING_B sizeof(struct thing)

AMP_PAIR(call_collected,
         .question = "On a heap that is collected, what does it cost to pass 64 B by value, and a new object by "
                     "pointer?",
         .value = SIDE(run_value, 0, 0), .pointer = SIDE(run_pointer, USES, USES * THING_B),
         .sizes = AMP_SIZES(THING_B),
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Pass small things by value: a collected object for each call costs its allocation, and its "
                      "share of the next collection." }));

AMP_PAIR(reuse_collected,
         .question = "On a heap that is collected, what does it cost to use one object again, and a new one each time?",
         .value = SIDE(run_reused, 0, 0, .label = "reused"),
         .pointer = SIDE(run_new, USES, USES * THING_B, .label = "new"), .sizes = AMP_SIZES(THING_B),
         AMP_CLAIMS({ AMP_VALUE, .text = "Keep an object and use it again where nobody else holds it." }));

AMP_PAIR(arena_collected,
         .question = "On a heap that is collected, what do objects cost that are cut from blocks, and single ones?",
         .value = SIDE(run_arena, USES / BLOCK, USES * THING_B, .label = "arena"),
         .pointer = SIDE(run_single, USES, USES * THING_B, .label = "objects"), .sizes = AMP_SIZES(THING_B),
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Cut what dies together from one block: the collector sees one object, and bytes cost "
                      "little." }));
