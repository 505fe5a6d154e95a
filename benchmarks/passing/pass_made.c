/* SPDX-License-Identifier: MIT
 *
 * Pass an object that is made for the call, member by member.
 *
 *   value     [w][w][w][w] --[w w w w]--> callee    N bytes written member by member; those over 16 B are copied then
 *   pointer   [w][w][w][w] --[ & ]-----> callee     N bytes written member by member
 *
 * Same on both sides:  the members, what they are set to, the two that the callee reads.
 * Different:           the copy. A copy may load many bytes that several stores wrote just before, and then waits
 *                      until these have reached the cache; some compilers make the object where the call needs it.
 *                      Up to 16 B the value side writes nothing to memory. clang writes two members at a time.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/passing/pass_made.c"
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n) ((n) == 16 || (n) == 24 || (n) == 64 || (n) == 256)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define make AMP_NAME(make)
#define take_value AMP_NAME(take_value)
#define take_pointer AMP_NAME(take_pointer)

static AMP_ALWAYS_INLINE void make(subject *object, uint64_t number)
{
#pragma GCC unroll 32
    for (size_t k = 0; k < AMP_SUBJECT_MEMBERS; k++)
        amp_set_member(object, k, number + k);
}

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
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        subject object;

        make(&object, i);
        sum += take_value(object);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        subject object;

        make(&object, i);
        sum += take_pointer(&object);
    }
    return sum;
}

AMP_PAIR(pass_made,
         .question = "What does it cost to pass an object that was just made: by value, and by const pointer?",
         .value = { .run = run_value, .calls = "take_value", .copied_b_per_op = AMP_PASSED_B },
         .pointer = { .run = run_pointer, .calls = "take_pointer" },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .to = 16, .text =
                      "Pass a new object that fits into registers as reads best." },
                    { AMP_POINTER, .from = 24, .text =
                      "Pass larger new objects by pointer: a copy waits for the stores that made the object." }));

#endif
