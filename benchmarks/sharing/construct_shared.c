/* SPDX-License-Identifier: MIT
 *
 * Make an object that is shared later: through a pointer from the first line on, or as a value whose address is taken
 * where it is shared.
 *
 *   value     subject object = *model;                     pointer   subject memory, *object = &memory;
 *             set(&object);                                          set(object);
 *             share(&object);     says where it is shared            share(object);     says it nowhere
 *
 * Same on both sides:  the object, in the same frame; what is done to it; the call that shares it. The model is in the
 *                      caller's frame, always at the same distance from the object: at other distances a copy may take
 *                      four times as long. Also the instructions: a test checks that both kernels are equal, byte for
 *                      byte.
 * Different:           how it reads. share(&object) shows the sharing, share(object) does not.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/sharing/construct_shared.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define share_value AMP_NAME(share_value)
#define share_pointer AMP_NAME(share_pointer)
#define construct_value AMP_NAME(construct_value)
#define construct_pointer AMP_NAME(construct_pointer)

static AMP_NOINLINE uint64_t share_value(const subject *object)
{
    return amp_ends(object);
}

static AMP_NOINLINE uint64_t share_pointer(const subject *object)
{
    return amp_ends(object);
}

static AMP_NOINLINE uint64_t construct_value(const subject *model, uint64_t number)
{
    subject object;

    object = *model;
    amp_set_ends(&object, number);
    return share_value(&object) + 1;
}

static AMP_NOINLINE uint64_t construct_pointer(const subject *model, uint64_t number)
{
    subject memory, *object = &memory;

    *object = *model;
    amp_set_ends(object, number);
    return share_pointer(object) + 1;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    subject model;
    uint64_t sum = 0;

    (void) fixture;
    memset(&model, 1, sizeof model);
    amp_keep(&model);
    for (uint64_t i = ops; i > 0; i--)
        sum += construct_value(&model, i);
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    subject model;
    uint64_t sum = 0;

    (void) fixture;
    memset(&model, 1, sizeof model);
    amp_keep(&model);
    for (uint64_t i = ops; i > 0; i--)
        sum += construct_pointer(&model, i);
    return sum;
}

AMP_PAIR(construct_shared,
         .question = "What does it cost to make a value and then take its address, and what to make it through a "
                     "pointer?",
         .value = { .run = run_value, .calls = "construct_value share_value", .copied_b_per_op = sizeof(subject) },
         .pointer = { .run = run_pointer, .calls = "construct_pointer share_pointer",
                      .copied_b_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "Make a value, and take its address where you share it: the instructions are the same, and the "
                      "& tells the reader." }));

#endif
