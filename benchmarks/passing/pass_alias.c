/* SPDX-License-Identifier: MIT
 *
 * Pass an object to a function that also writes through another pointer.
 *
 *   pass_alias            value     object [w w]             words[k] = ...    the members stay in registers
 *                         pointer   & --> [w w] <-- maybe -- words[k] = ...    the write may change the object: a
 *                                                                              member is loaded again for each word
 *
 *   pass_alias_restrict   value     as above
 *                         pointer   the pointers are restrict: the members stay in registers
 *
 * Same on both sides:  the object, the two members that are read, the sixteen words that are written: one after the
 *                      other, since they are volatile, and an addition for each.
 * Different:           the copy of the object; and what the compiler must believe that a write may change: two loads,
 *                      or sixteen. Without volatile, it would also join writes into wider ones where it can. What
 *                      stays in registers gcc also counts up from word to word, which saves an addition.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/passing/pass_alias.c"
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n) ((n) == 16 || (n) == 64)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define WORDS 16
#define AS_THEY_ARE_B sizeof(uint64_t) /* clang adds no 0 to the two words of k = 0, gcc does: between both */
#define fill_value AMP_NAME(fill_value)
#define fill_pointer AMP_NAME(fill_pointer)
#define fill_restrict AMP_NAME(fill_restrict)
#define run_restrict AMP_NAME(run_restrict)
#define set_up_both AMP_NAME(set_up_both)
#define both AMP_NAME(both)

struct both {
    subject object;
    uint64_t words[WORDS];
};

static AMP_NOINLINE void fill_value(subject object, volatile uint64_t *words)
{
    for (size_t k = 0; k < WORDS; k += 2) {
        words[k] = amp_member(&object, 0) + k;
        words[k + 1] = amp_member(&object, AMP_SUBJECT_MEMBERS - 1) + k;
    }
}

static AMP_NOINLINE void fill_pointer(const subject *object, volatile uint64_t *words)
{
    for (size_t k = 0; k < WORDS; k += 2) {
        words[k] = amp_member(object, 0) + k;
        words[k + 1] = amp_member(object, AMP_SUBJECT_MEMBERS - 1) + k;
    }
}

static AMP_NOINLINE void fill_restrict(const subject *restrict object, volatile uint64_t *restrict words)
{
    for (size_t k = 0; k < WORDS; k += 2) {
        words[k] = amp_member(object, 0) + k;
        words[k + 1] = amp_member(object, AMP_SUBJECT_MEMBERS - 1) + k;
    }
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct both *both = __builtin_assume_aligned(fixture, AMP_OBJECT_ALIGNMENT);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(both);
        fill_value(both->object, both->words);
        sum += both->words[WORDS - 1];
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct both *both = __builtin_assume_aligned(fixture, AMP_OBJECT_ALIGNMENT);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(both);
        fill_pointer(&both->object, both->words);
        sum += both->words[WORDS - 1];
    }
    return sum;
}

static uint64_t run_restrict(void *fixture, uint64_t ops)
{
    struct both *both = __builtin_assume_aligned(fixture, AMP_OBJECT_ALIGNMENT);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(both);
        fill_restrict(&both->object, both->words);
        sum += both->words[WORDS - 1];
    }
    return sum;
}

static void *set_up_both(size_t size)
{
    return amp_object_set_up(size + WORDS * sizeof(uint64_t));
}

AMP_PAIR(pass_alias,
         .question = "What does an argument cost by value, and what by a const pointer that other writes may reach?",
         .value = { run_value, .calls = "fill_value", .copied_b_per_op = AMP_PASSED_B + AS_THEY_ARE_B,
                    .set_up = set_up_both,
                    .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = "fill_pointer", .copied_b_per_op = AS_THEY_ARE_B, .set_up = set_up_both,
                      .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_VALUE, .to = 16, .text =
                      "If a function reads a small object between writes through other pointers, pass it by value, or "
                      "read it into locals first." }));

AMP_PAIR(pass_alias_restrict,
         .question = "What does an argument cost by value, and what by a restrict pointer?",
         .value = { run_value, .calls = "fill_value", .copied_b_per_op = AMP_PASSED_B + AS_THEY_ARE_B,
                    .set_up = set_up_both,
                    .tear_down = amp_object_tear_down },
         .pointer = { run_restrict, .calls = "fill_restrict", .copied_b_per_op = AS_THEY_ARE_B, .set_up = set_up_both,
                      .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .to = 16, .text =
                      "With restrict, a const pointer to a small object costs what its value costs." }));

#endif
