/* SPDX-License-Identifier: MIT
 *
 * `factory` on a heap that has been in use: objects are kept for a while, and the free blocks lie where others died.
 *
 *   value     ring [o][o][o][o] ... [o]       new objects replace the oldest ones, in their place
 *   pointer   ring [&][&][&][&] ... [&]       the oldest objects are freed, new ones lie where malloc() finds room
 *
 * The heap is aged before: 20,000 blocks of 16 B to 2 KiB are allocated, every other one is freed, at random, always in
 * the same way; the rest stays.
 *
 * An operation replaces the 256 oldest of 1,024 objects: more than malloc() keeps at hand for a thread, so it has to
 * look for room.
 *
 * Same on both sides:  the aged heap, the objects, a model that each is copied from, the two members that are written,
 *                      and those of the oldest objects that are read.
 * Different:           where the objects are: side by side, or where malloc() found room; its work; and the copy of a
 *                      value from the callee's result into the ring. Values are read in a loop without a call, which
 *                      clang unrolls; and it copies no word into the ring that is changed at once (the last).
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/lifetime/factory_aged.c"
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define KEPT 1024
#define BATCH 256
#define BLOCKS 20000
#define aged AMP_NAME(aged)
#define make_value AMP_NAME(make_value)
#define make_pointer AMP_NAME(make_pointer)
#define age AMP_NAME(age)
#define set_up_value AMP_NAME(set_up_value)
#define set_up_pointer AMP_NAME(set_up_pointer)
#define tear_down_aged AMP_NAME(tear_down_aged)

struct aged {
    void *blocks[BLOCKS]; /* NULL: freed */
    subject *values;      /* [KEPT], of the value side */
    subject *kept[KEPT];  /* of the pointer side */
    size_t at;            /* the oldest */
    subject model;
};

static AMP_NOINLINE subject make_value(const subject *model)
{
    return *model;
}

static AMP_NOINLINE subject *make_pointer(const subject *model)
{
    subject *object = amp_alloc(sizeof *object);

    *object = *model;
    return object;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct aged *a = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *oldest = &a->values[a->at];

        for (size_t k = 0; k < BATCH; k++)
            sum += amp_ends(&oldest[k]);
        for (size_t k = 0; k < BATCH; k++) {
            oldest[k] = make_value(&a->model);
            amp_set_ends(&oldest[k], i + k);
        }
        a->at = (a->at + BATCH) % KEPT;
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct aged *a = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject **oldest = &a->kept[a->at];

        for (size_t k = 0; k < BATCH; k++) {
            sum += amp_ends(oldest[k]);
            free(oldest[k]);
        }
        for (size_t k = 0; k < BATCH; k++) {
            oldest[k] = make_pointer(&a->model);
            amp_set_ends(oldest[k], i + k);
        }
        a->at = (a->at + BATCH) % KEPT;
    }
    return sum;
}

static struct aged *age(void)
{
    struct aged *a = amp_alloc(sizeof *a);
    uint64_t state = 1;

    *a = (struct aged){ .at = 0 };
    for (size_t i = 0; i < BLOCKS; i++)
        a->blocks[i] = amp_alloc((size_t) 16 << amp_random_next(&state) % 8);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (amp_random_next(&state) % 2) {
            free(a->blocks[i]);
            a->blocks[i] = NULL;
        }
    }
    return a;
}

static void *set_up_value(size_t size)
{
    struct aged *a = age();

    a->values = amp_alloc(KEPT * size);
    memset(a->values, 0, KEPT * size);
    return a;
}

static void *set_up_pointer(size_t size)
{
    struct aged *a = age();

    for (size_t i = 0; i < KEPT; i++)
        a->kept[i] = memset(amp_alloc(size), 0, size);
    return a;
}

static void tear_down_aged(void *fixture)
{
    struct aged *a = fixture;

    free(a->values);
    for (size_t i = 0; i < KEPT; i++)
        free(a->kept[i]);
    for (size_t i = 0; i < BLOCKS; i++)
        free(a->blocks[i]);
    free(a);
}

AMP_PAIR(factory_aged,
         .question = "On a heap that has been in use, what do objects cost that are kept as values, and what as "
                     "pointers to the heap?",
         .value = { run_value, .calls = "make_value*256", .copied_b_per_op = 2 * BATCH * sizeof(subject),
                    .set_up = set_up_value, .tear_down = tear_down_aged },
         .pointer = { run_pointer, .calls = "make_pointer*256 malloc*256 free*256",
                      .copied_b_per_op = BATCH * sizeof(subject), .set_up = set_up_pointer, .tear_down = tear_down_aged,
                      .allocs_per_op = BATCH, .bytes_per_op = BATCH * sizeof(subject) },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_VALUE, .to = 1024, .text =
                      "Keep objects up to 1 KiB as values: their second copy costs less than a malloc() and a free() "
                      "for which the thread's own cache is too small." }));

#endif
