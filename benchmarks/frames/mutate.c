/* SPDX-License-Identifier: MIT
 *
 * Change an object: take it and return a changed copy, or change it through a pointer.
 *
 *   value     caller --[first ... last]--> callee    N bytes out,
 *             caller <--[first'...last']-- callee    N bytes back, and N more to put them in the object's place
 *                                                    (up to 16 B: in registers both ways)
 *   pointer   caller --[ & ]-------------> callee    8 bytes
 *              [first ... last] <---'                two words changed where they are
 *
 * Same on both sides:  the change, and the memory in which the object outlives the call. Each change starts from the
 *                      result of the one before, so none can be skipped or overlap the next.
 * Different:           how the object gets to the change and back. Above 16 B compilers copy in moves wider than a
 *                      word, and the one that loads a word that has just been changed waits until that store is done:
 *                      part of the price of copying what was just changed (store_forward shows it alone). At 16 B
 *                      the pointer side may store both words in one move.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/frames/mutate.c"
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define change AMP_NAME(change)
#define change_value AMP_NAME(change_value)
#define change_pointer AMP_NAME(change_pointer)

static AMP_ALWAYS_INLINE void change(subject *object)
{
    amp_set_ends(object, amp_ends(object) + 1);
}

static AMP_NOINLINE subject change_value(subject object)
{
    change(&object);
    return object;
}

static AMP_NOINLINE void change_pointer(subject *object)
{
    change(object);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object); /* what the last operation has read of it may have been changed */
        *object = change_value(*object);
        amp_keep(object); /* the object must be in memory now, as if others could read it */
        sum += amp_ends(object);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        change_pointer(object);
        amp_keep(object);
        sum += amp_ends(object);
    }
    return sum;
}

AMP_PAIR(mutate,
         .question = "What does it cost to change an object by returning a copy, and what through a pointer?",
         .value = { run_value, .calls = AMP_SUBJECT_CALLS("change_value", ""), .copied_b_per_op = 3 * AMP_PASSED_B,
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = AMP_SUBJECT_CALLS("change_pointer", ""), .set_up = amp_object_set_up,
                      .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .to = 8, .text = "Change a word as reads best." },
                    { AMP_POINTER, .from = 32, .text = "Change larger objects in place, through a pointer." }));

#endif
