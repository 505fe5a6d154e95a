/* SPDX-License-Identifier: MIT
 *
 * `factory` on a heap that has been in use: objects are kept for a while, and the free blocks lie where others died.
 *
 *   value     ring [o][o][o][o] ... [o]       the new object replaces the oldest one, in its place
 *   pointer   ring [&][&][&][&] ... [&]       the oldest object is freed, the new one lies where malloc() found room
 *
 * The heap is aged before: 20,000 blocks of 16 B to 2 KiB are allocated, every other one is freed, at random, always in
 * the same way; the rest stays.
 *
 * Same on both sides:  the aged heap, the objects, how many are kept (1,024), the two members that are written, and
 *                      those of the oldest object that are read.
 * Different:           where the objects are: side by side, or where malloc() found room; its work; and the copy of a
 *                      value from the callee's result into the ring.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/lifetime/factory_aged.c"
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define KEPT 1024
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
    size_t at;
};

static AMP_NOINLINE subject make_value(uint64_t number)
{
    subject object = { { 0 } };

    amp_set_ends(&object, number);
    return object;
}

static AMP_NOINLINE subject *make_pointer(uint64_t number)
{
    subject *object = amp_alloc(sizeof *object);

    *object = (subject){ { 0 } };
    amp_set_ends(object, number);
    return object;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct aged *a = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *oldest = &a->values[a->at++ % KEPT];

        sum += amp_ends(oldest);
        *oldest = make_value(i);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct aged *a = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject **oldest = &a->kept[a->at++ % KEPT];

        sum += amp_ends(*oldest);
        free(*oldest);
        *oldest = make_pointer(i);
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
         .question = "On a heap that has been in use, what does an object cost that is kept as a value, and what as a "
                     "pointer to the heap?",
         .value = { run_value, .set_up = set_up_value, .tear_down = tear_down_aged },
         .pointer = { run_pointer, .set_up = set_up_pointer, .tear_down = tear_down_aged,
                      .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_POINTER, .from = 1024, .text =
                      "Keep pointers to large objects: a new value is copied into its place, and free blocks are found "
                      "quickly on an aged heap, too." }));

#endif
