/* SPDX-License-Identifier: MIT
 *
 * Objects of which most die together, and some live on: an arena whose survivors are copied out, or malloc() for each.
 *
 *   arena    arena [o][o][o][S][o] ... freed at once; S is copied to the heap first --> [S]
 *   malloc   [o] [o] [o] [S] [o] ...   each freed when it dies
 *
 * Same on both sides:  batches of 64 objects, of which one lives until the end of the next batch; the two members of
 *                      each that are written and read.
 * Different:           what has to be recorded for each object; and the copy of the survivor. The arena is as large as
 *                      a batch and does not check that there is room, as that of `lifetime` does. Its objects are
 *                      read in a loop without a call, which clang unrolls.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/lifetime/arena_mixed.c"
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n) ((n) == 64)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define BATCH 64
#define SURVIVOR 17 /* of each batch */

struct arena {
    size_t used;
    subject *survivor; /* of the batch before, on the heap */
    subject *objects;  /* [BATCH], of the arena side */
};

static AMP_NOINLINE subject *take_arena(struct arena *a)
{
    return &a->objects[a->used++];
}

static AMP_NOINLINE subject *take_heap(void)
{
    return amp_alloc(sizeof(subject));
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct arena *a = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *batch[BATCH];

        for (size_t k = 0; k < BATCH; k++) {
            batch[k] = take_arena(a);
            amp_set_ends(batch[k], i + k);
        }
        for (size_t k = 0; k < BATCH; k++)
            sum += amp_ends(batch[k]);
        free(a->survivor);
        a->survivor = amp_alloc(sizeof *a->survivor);
        *a->survivor = *batch[SURVIVOR];
        a->used = 0;
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct arena *a = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *batch[BATCH];

        for (size_t k = 0; k < BATCH; k++) {
            batch[k] = take_heap();
            amp_set_ends(batch[k], i + k);
        }
        free(a->survivor);
        a->survivor = batch[SURVIVOR];
        for (size_t k = 0; k < BATCH; k++) {
            sum += amp_ends(batch[k]);
            if (k != SURVIVOR)
                free(batch[k]);
        }
    }
    return sum;
}

static void *set_up_arena(size_t size)
{
    struct arena *a = amp_alloc(sizeof *a);

    *a = (struct arena){ .objects = amp_alloc(BATCH * size) };
    memset(a->objects, 0, BATCH * size);
    return a;
}

static void tear_down_arena(void *fixture)
{
    struct arena *a = fixture;

    free(a->survivor);
    free(a->objects);
    free(a);
}

AMP_PAIR(arena_mixed,
         .question = "If one of 64 objects lives on, what does an arena cost that copies it out, and what malloc() for "
                     "each?",
         .value = { run_value, .calls = "take_arena*64 free malloc", .copied_b_per_op = sizeof(subject),
                    .set_up = set_up_arena, .tear_down = tear_down_arena, .label = "arena",
                    .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .pointer = { run_pointer, .calls = "take_heap*64 malloc*64 free*64", .copied_b_per_op = sizeof(subject *),
                      .set_up = set_up_arena,
                      .tear_down = tear_down_arena, .label = "malloc",
                      .allocs_per_op = BATCH, .bytes_per_op = BATCH * sizeof(subject) },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Use an arena even if some objects live on: copy these out before it is freed." }));

#endif
