/* SPDX-License-Identifier: MIT
 *
 * Pass an object to a function that needs a changed copy of it, and leaves the caller's as it is.
 *
 *   value     caller --[w w w w]--> callee    the copy that the call makes is changed
 *   pointer   caller --[ & ]------> callee    the callee makes a copy, and changes that
 *
 * Same on both sides:  the object, the member that is changed, the two that are read, and that the whole copy must be
 *                      in memory before.
 * Different:           who copies: the call, or the callee. Up to 16 B the call copies into registers, which the callee
 *                      stores one by one; the pointer side copies 16 B in one move. clang copies an argument of more
 *                      than 128 B with rep movs, but not the callee's own copy, which is faster: moves, from 256 B on
 *                      a call of memcpy().
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/passing/pass_write.c"
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n) ((n) == 8 || (n) == 16 || (n) == 32 || (n) == 64 || (n) == 256 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define change_value AMP_NAME(change_value)
#define change_pointer AMP_NAME(change_pointer)

static AMP_NOINLINE uint64_t change_value(subject object)
{
    amp_set_member(&object, 0, amp_member(&object, 0) + 1);
    amp_keep(&object);
    return amp_ends(&object);
}

static AMP_NOINLINE uint64_t change_pointer(const subject *original)
{
    subject object = *original;

    amp_set_member(&object, 0, amp_member(&object, 0) + 1);
    amp_keep(&object);
    return amp_ends(&object);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += change_value(*object);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += change_pointer(object);
    }
    return sum;
}

AMP_PAIR(pass_write,
         .question = "What does it cost to hand an object to a function that needs a changed copy: by value, and by "
                     "const pointer?",
         .value = { run_value, .calls = "change_value", .copied_b_per_op = sizeof(subject),
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = "change_pointer", .copied_b_per_op = sizeof(subject),
                      .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .to = 64, .text =
                      "If the callee needs a copy of its own, pass up to 64 B by value: the call makes the copy." }));

#endif
