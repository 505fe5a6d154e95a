/* SPDX-License-Identifier: MIT
 *
 * Pass an object to a function: by value, or by const pointer.
 *
 *   value     caller --[first ... last]--> callee    N bytes copied, in registers up to 16 B, else in memory
 *   pointer   caller --[ & ]-------------> callee    8 bytes copied
 *              [first ... last] <---'                stays where it is
 *
 * Same on both sides:  the object, the two words of it that the callee reads, a call that is not inlined.
 * Different:           where the callee finds these words: in its own copy, or in the caller's object. A copy of more
 *                      than 16 B lies on the stack (x86-64 System V), or anywhere in the caller's frame, and its
 *                      address is passed (AArch64).
 *
 * The object lies in memory, lives on, and its members are words; pass_bytes has members that must be dug out of
 * registers. Up to 64 B both sides hide behind what a call costs anyway. Above 256 B gcc, above 128 B clang, copies
 * an argument by `rep movs`, which takes some 25 cycles to start: a cliff that is the compilers', not the processor's.
 * It is on the value side of every lesson that copies so much at once. pass_native and copy_limit show faster copies of
 * the same bytes.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/frames/pass.c"
#include "harness/subjects.h"

#ifndef PASS_CLAIMS
#define PASS_CLAIMS \
    { AMP_NEITHER, .to = 64, .text = \
      "Pass objects up to a cache line as reads best: value and const pointer are about half a nanosecond apart at " \
      "most." }, \
    { AMP_POINTER, .from = 128, .text = \
      "Pass larger objects by const pointer, unless the callee needs a copy of its own." }
#endif

#ifndef PASS_QUESTION
#define PASS_QUESTION "What does it cost to pass an argument by value, and what by const pointer?"
#endif

#ifdef AMP_INLINE
#define PASS_COPIED_B 0
#else
#define PASS_COPIED_B AMP_PASSED_B
#endif

#ifdef AMP_SUBJECT

#define take_value AMP_NAME(take_value)
#define take_pointer AMP_NAME(take_pointer)

static AMP_NOINLINE uint64_t take_value(subject object)
{
    return amp_ends(&object);
}

static AMP_NOINLINE uint64_t take_pointer(const subject *object)
{
    return amp_ends(object);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object); /* the compiler must believe that the object may have changed */
        sum += take_value(*object);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += take_pointer(object);
    }
    return sum;
}

AMP_PAIR(pass,
         .question = PASS_QUESTION,
         .value = { run_value, .calls = AMP_SUBJECT_CALLS("take_value", ""), .copied_b_per_op = PASS_COPIED_B,
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = AMP_SUBJECT_CALLS("take_pointer", ""), .set_up = amp_object_set_up,
                      .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS(PASS_CLAIMS));

#endif
