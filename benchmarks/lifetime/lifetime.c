/* SPDX-License-Identifier: MIT
 *
 * Free objects: a whole batch at once, or each on its own; and reuse one instead of freeing it.
 *
 *   lifetime        value     arena [ o ][ o ][ o ][ o ] ...    one pointer moved up for each, moved back for all
 *                   pointer   [ o ]   [ o ]   [ o ]   [ o ]     malloc() for each, free() for each
 *
 *   lifetime_reuse  value     pool [ & ][ & ]..  --> [ o ]      the object last given back, taken again
 *                   pointer   malloc() --> [ o ] --> free()
 *
 * Same on both sides:  the objects, each at a cache line's beginning; the two words of each that are written and read;
 *                      a call for each object made; what happens if there is no room.
 * Different:           what has to be recorded. An arena or a pool needs a pointer or two, since all objects have one
 *                      size or die together. malloc() knows nothing about them. The arena's objects are read in a
 *                      loop without a call, which clang unrolls.
 *
 * malloc() has a pool inside and does more than one, so the lesson can only say how much more. An operation of
 * `lifetime` is a batch of 64 objects, of `lifetime_reuse` one object.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/lifetime/lifetime.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#include "harness/subjects.h"

#ifndef LIFETIME /* once, for all sizes */
#define LIFETIME

#define LINE_B 64

/* As malloc() of jemalloc aligns what is a multiple of a line. */
static void *lines(size_t size)
{
    void *made = aligned_alloc(LINE_B, (size + LINE_B - 1) / LINE_B * LINE_B);

    if (!made)
        _exit(AMP_EXIT_NO_MEMORY);
    return made;
}

#endif

#ifdef AMP_SUBJECT

#define BATCH 64
#define arena AMP_NAME(arena)
#define pool AMP_NAME(pool)
#define take_arena AMP_NAME(take_arena)
#define take_heap AMP_NAME(take_heap)
#define take_single AMP_NAME(take_single)
#define take_pool AMP_NAME(take_pool)
#define give_pool AMP_NAME(give_pool)
#define set_up_arena AMP_NAME(set_up_arena)
#define set_up_pool AMP_NAME(set_up_pool)
#define run_reuse AMP_NAME(run_reuse)
#define run_single AMP_NAME(run_single)
#define tear_down_arena AMP_NAME(tear_down_arena)
#define tear_down_pool AMP_NAME(tear_down_pool)

struct arena {
    size_t used, room;
    subject *objects; /* [room] */
};

/* Room for as many as one batch has. */
struct pool {
    size_t free;
    subject *objects[BATCH]; /* the first `free` of them can be taken */
};

static AMP_NOINLINE subject *take_arena(struct arena *a)
{
    if (__builtin_expect(a->used == a->room, 0))
        _exit(AMP_EXIT_NO_MEMORY);
    return &a->objects[a->used++];
}

static AMP_NOINLINE subject *take_heap(void)
{
    return amp_alloc(sizeof(subject));
}

static AMP_NOINLINE subject *take_single(void)
{
    return amp_alloc(sizeof(subject));
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct arena *a = fixture;
    subject *batch[BATCH];
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        for (size_t k = 0; k < BATCH; k++) {
            batch[k] = take_arena(a);
            amp_set_ends(batch[k], i + k);
        }
        for (size_t k = 0; k < BATCH; k++)
            sum += amp_ends(batch[k]);
        a->used = 0;
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    subject *batch[BATCH];
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        for (size_t k = 0; k < BATCH; k++) {
            batch[k] = take_heap();
            amp_set_ends(batch[k], i + k);
        }
        for (size_t k = 0; k < BATCH; k++) {
            sum += amp_ends(batch[k]);
            free(batch[k]);
        }
    }
    return sum;
}

static void tear_down_arena(void *fixture)
{
    struct arena *a = fixture;

    free(a->objects);
    free(a);
}

static void *set_up_arena(size_t size)
{
    struct arena *a = amp_alloc(sizeof *a);

    *a = (struct arena){ .room = BATCH, .objects = lines(BATCH * size) };
    return a;
}

static AMP_NOINLINE subject *take_pool(struct pool *p)
{
    return p->free > 0 ? p->objects[--p->free] : amp_alloc(sizeof(subject));
}

static AMP_NOINLINE void give_pool(struct pool *p, subject *object)
{
    if (p->free < BATCH)
        p->objects[p->free++] = object;
    else
        free(object);
}

static uint64_t run_reuse(void *fixture, uint64_t ops)
{
    struct pool *p = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *object = take_pool(p);

        amp_set_ends(object, i);
        amp_keep(object);
        sum += amp_ends(object);
        give_pool(p, object);
    }
    return sum;
}

static uint64_t run_single(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        subject *object = take_single();

        amp_set_ends(object, i);
        amp_keep(object);
        sum += amp_ends(object);
        free(object);
    }
    return sum;
}

static void *set_up_pool(size_t size)
{
    struct pool *p = amp_alloc(sizeof *p);

    *p = (struct pool){ .free = 1, .objects = { lines(size) } };
    return p;
}

static void tear_down_pool(void *fixture)
{
    struct pool *p = fixture;

    free(p->objects[0]);
    free(p);
}

AMP_PAIR(lifetime,
         .question = "What does it cost to free a batch of objects at once, and what to free each of them?",
         .value = { run_value, .calls = "take_arena*64", .label = "arena", .set_up = set_up_arena,
                    .tear_down = tear_down_arena },
         .pointer = { .run = run_pointer, .calls = "take_heap*64 malloc*64 free*64", .label = "malloc",
                      .allocs_per_op = BATCH,
                      .bytes_per_op = BATCH * sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "If objects die together, as those of a request do, put them into an arena: freeing is then "
                      "one store, and none can be forgotten." }));

AMP_PAIR(lifetime_reuse,
         .question = "What does it cost to take an object from a pool and give it back, and what malloc() and free()?",
         .value = { run_reuse, .calls = "take_pool malloc* give_pool free*", .label = "pool", .set_up = set_up_pool,
                    .tear_down = tear_down_pool },
         .pointer = { .run = run_single, .calls = "take_single malloc free", .label = "malloc", .allocs_per_op = 1,
                      .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .text = "A pool saves a few nanoseconds an object." }),
         .prefer = "Pool objects that are expensive to make, or shared between threads. For plain memory of one "
                   "thread, the allocator's cache is already a good pool.");

#endif
