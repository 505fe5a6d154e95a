/* SPDX-License-Identifier: MIT
 *
 * How close does an argument passed by value come to the fastest copy of the same bytes?
 *
 *   value     caller --[first ... last]--> callee           copied by the compiler, as in `pass`
 *   pointer   memcpy(frame, object, N); & --> callee        copied by the C library, then a pointer to the copy
 *
 * Same on both sides:  the object, N bytes copied into a frame, a call, the two words that the callee reads.
 * Different:           who copies. The library's memcpy() is chosen for the processor, so it stands for the limit of
 *                      the machine. The compiler at -O2 uses moves up to 256 B (gcc) or 128 B (clang), and beyond that
 *                      `rep movs`.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/sizes/copy_limit.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 1024 || (n) == 4096 || (n) == 65536)
#include "harness/subjects.h"

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
        amp_keep(object);
        sum += take_value(*object);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    size_t n = sizeof *object;
    uint64_t sum = 0;
    subject copy;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        __asm__ volatile("" : "+r"(n)); /* the size is unknown to the compiler, so it calls the library's memcpy() */
        memcpy(&copy, object, n);
        sum += take_pointer(&copy);
    }
    return sum;
}

AMP_PAIR(copy_limit,
         .question = "What does it cost to pass an argument by value, and what to copy the same bytes by memcpy()?",
         .value = { run_value, .calls = "take_value", .copied_b_per_op = sizeof(subject), .label = "by value",
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = "take_pointer", .copied_b_per_op = sizeof(subject), .label = "memcpy",
                      .set_up = amp_object_set_up,
                      .tear_down = amp_object_tear_down },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_POINTER, .to = 1024, .text =
                      "The memcpy() of the library may copy faster than the code that the compiler writes." },
                    { AMP_NEITHER, .from = 65536, .text =
                      "Large copies are as fast as the machine can do them: only not copying is faster." }));

#endif
