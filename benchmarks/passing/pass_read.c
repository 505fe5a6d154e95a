/* SPDX-License-Identifier: MIT
 *
 * Pass an object to a function that reads a part of it: one member, a quarter, half, all. The members are words.
 *
 *   value     caller --[w w w w w w w w]--> callee    all members are copied, in registers up to 16 B; then some are
 *                                                     read, from the copy
 *   pointer   caller --[ & ]--------------> callee    8 bytes copied; the same members are read,
 *              [w w w w w w w w] <---'                where they are
 *
 *   pass_read_one [w . . . . . . .]   pass_read_quarter [w . . . w . . .]
 *   pass_read_half [w . w . w . w .]  pass_read_all [w w w w w w w w]
 *
 * Same on both sides:  the object, the members that are read, how they are added up, a call that is not inlined.
 * Different:           where the callee finds them: in its own copy, or in the caller's object. Up to 256 B clang knows
 *                      that the copy is aligned to 16 B and adds words from memory; those of the object it loads first.
 *                      gcc 14 loads 24 B of the object as a vector and a word, of the copy as three words.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/passing/pass_read.c"
#ifndef AMP_SUBJECT_OF
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n)                                                                                            \
    ((n) == 8 || (n) == 16 || (n) == 24 || (n) == 32 || (n) == 64 || (n) == 128 || (n) == 256 || (n) == 264 ||         \
     (n) == 1024 || (n) == 4096)
#endif
#include "harness/subjects.h"

#ifndef PASS_READ_ARGUMENT
#define PASS_READ_ARGUMENT "an argument"
#endif
#define PASS_READ_QUESTION(part) \
    "What does " PASS_READ_ARGUMENT " cost by value and by const pointer, if the callee reads " part "?"

#ifdef AMP_SUBJECT

#define read_of AMP_NAME(read_of)

/* `read` members, at even distances. Their sum is a small integer, also that of doubles. */
static AMP_ALWAYS_INLINE uint64_t read_of(const subject *object, size_t read)
{
    AMP_MEMBER sum = 0;

#ifndef __clang__ /* which unrolls short loops by itself, and would not if it were told how often */
#pragma GCC unroll 8 /* gcc would keep a loop over the two registers of a small object */
#endif
    for (size_t k = 0; k < read; k++)
        sum += amp_member(object, k * (AMP_SUBJECT_MEMBERS / read));
    return amp_returned((uint64_t) (int64_t) sum);
}

#define PASS_READ(share, read)                                                                                         \
    static AMP_NOINLINE uint64_t AMP_NAME(take_value_##share)(subject object)                                          \
    {                                                                                                                  \
        amp_keep_passed(&object);                                                                                      \
        return read_of(&object, (read));                                                                               \
    }                                                                                                                  \
                                                                                                                       \
    static AMP_NOINLINE uint64_t AMP_NAME(take_pointer_##share)(const subject *object)                                 \
    {                                                                                                                  \
        return read_of(object, (read));                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static uint64_t AMP_NAME(run_value_##share)(void *fixture, uint64_t ops)                                           \
    {                                                                                                                  \
        const subject *object = amp_object(fixture);                                                                   \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            amp_keep(object);                                                                                          \
            sum += AMP_NAME(take_value_##share)(*object);                                                              \
        }                                                                                                              \
        return sum;                                                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static uint64_t AMP_NAME(run_pointer_##share)(void *fixture, uint64_t ops)                                         \
    {                                                                                                                  \
        const subject *object = amp_object(fixture);                                                                   \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            amp_keep(object);                                                                                          \
            sum += AMP_NAME(take_pointer_##share)(object);                                                             \
        }                                                                                                              \
        return sum;                                                                                                    \
    }

#define PASS_READ_SIDES(share)                                                                                         \
    .value = { AMP_NAME(run_value_##share), .calls = "take_value_" #share, .copied_b_per_op = AMP_PASSED_B,            \
               .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },                                       \
    .pointer = { AMP_NAME(run_pointer_##share), .calls = "take_pointer_" #share, .set_up = amp_object_set_up,          \
                 .tear_down = amp_object_tear_down }

PASS_READ(one, 1)
AMP_PAIR(pass_read_one,
         .question = PASS_READ_QUESTION("one member"),
         PASS_READ_SIDES(one),
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .to = 32, .text = "If one member is read, pass up to 32 B as reads best." },
                    { AMP_POINTER, .from = 128, .text = "If one member is read, pass larger objects by pointer." }));

#if AMP_SUBJECT_B >= 64
PASS_READ(quarter, AMP_SUBJECT_MEMBERS / 4)
AMP_PAIR(pass_read_quarter,
         .question = PASS_READ_QUESTION("a quarter of it"),
         PASS_READ_SIDES(quarter),
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_POINTER, .from = 128, .text =
                      "If a quarter is read, pass objects of more than a cache line by pointer." }));
#endif

#if AMP_SUBJECT_B >= 32
PASS_READ(half, AMP_SUBJECT_MEMBERS / 2)
AMP_PAIR(pass_read_half,
         .question = PASS_READ_QUESTION("half of it"),
         PASS_READ_SIDES(half),
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .to = 32, .text = "If half is read, pass up to 32 B as reads best." },
                    { AMP_POINTER, .from = 128, .text = "If half is read, pass larger objects by pointer." }));
#endif

#if AMP_SUBJECT_B >= 16
PASS_READ(all, AMP_SUBJECT_MEMBERS)
AMP_PAIR(pass_read_all,
         .question = PASS_READ_QUESTION("all of it"),
         PASS_READ_SIDES(all),
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .to = 24, .text = "If all is read, pass up to 24 B as reads best." },
                    { AMP_POINTER, .from = 128, .text =
                      "Even if all is read, pass objects of more than a cache line by pointer." }));
#endif

#undef PASS_READ
#undef PASS_READ_SIDES
#endif
