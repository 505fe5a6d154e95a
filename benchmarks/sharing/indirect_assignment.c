/* SPDX-License-Identifier: MIT
 *
 * Store pointers in a struct: when it is made, or afterwards through a pointer to it.
 *
 *   value     make(a, b)       --[ & & ]--> owner          constructed with its pointers in it
 *   pointer   assign(&owner, a, b)  --> owner.[ & & ]      there before, and changed where it is
 *                 & & ---> [a] [b] in the caller's frame, on both sides
 *
 * Same on both sides:  the owner, the pointers, the objects behind them and the walk over them; a call, not inlined.
 * Different:           whether the pointers come with the owner's value or are stored through its address.
 *
 * Go's compiler loses track of a pointer that is stored through another one, and moves its target to the heap (1
 * allocation of 8 B). C has no such analysis: both sides stay in the frame, and the programmer must make sure that the
 * owner does not outlive the objects. The size is the number of pointers.
 */
#ifndef POINTERS

#include "harness/kernel.h"

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, POINTERS)
#define owner AMP_NAME(owner)
#define walk AMP_NAME(walk)
#define make AMP_NAME(make)
#define assign AMP_NAME(assign)
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)

/* Unrolled by hand, since compilers would make different loops of the two sides. */
#define EACH_1(do, ...) do(0, __VA_ARGS__)
#define EACH_4(do, ...) do(0, __VA_ARGS__), do(1, __VA_ARGS__), do(2, __VA_ARGS__), do(3, __VA_ARGS__)
#define EACH AMP_NAME_(EACH_, POINTERS)
#define INITIALISE(k, numbers) numbers + k
#define ASSIGN(k, o, numbers) (o)->number[k] = numbers + k

#define POINTERS 1
#include "benchmarks/sharing/indirect_assignment.c"
#define POINTERS 4
#include "benchmarks/sharing/indirect_assignment.c"

#else /* the lesson, for one number of pointers */

struct owner {
    const uint64_t *number[POINTERS];
};

static inline uint64_t walk(const struct owner *o)
{
    uint64_t sum = 0;

    for (size_t k = 0; k < POINTERS; k++)
        sum += *o->number[k];
    return sum;
}

static AMP_NOINLINE struct owner make(const uint64_t *numbers)
{
    __asm__ volatile("" : "+r"(numbers) : : "memory"); /* or clang knows the result, and does not wait for the call */
    return (struct owner){ .number = { EACH(INITIALISE, numbers) } };
}

static AMP_NOINLINE void assign(struct owner *o, const uint64_t *numbers)
{
    __asm__ volatile("" : "+r"(numbers) : : "memory");
    EACH(ASSIGN, o, numbers);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t numbers[POINTERS] = { 0 }, sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        numbers[0] = i;
        amp_keep(numbers);
        const struct owner o = make(numbers);
        amp_keep(&o);
        sum += walk(&o);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t numbers[POINTERS] = { 0 }, sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        struct owner o;

        numbers[0] = i;
        amp_keep(numbers);
        assign(&o, numbers);
        amp_keep(&o);
        sum += walk(&o);
    }
    return sum;
}

AMP_PAIR(indirect_assignment,
         .question = "What does it cost to store pointers in a struct when it is made, and what through a pointer to "
                     "it?",
         .value = { .run = run_value, .calls = "make", .label = "made whole" },
         .pointer = { .run = run_pointer, .calls = "assign", .label = "assigned later" },
         .sizes = AMP_SIZES(POINTERS), .size_unit = "pointers",
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "Make the struct with its pointers in it: it costs the same, and it is never half made." }),
         .prefer = "In Go, this form also keeps the objects off the heap.");

#undef POINTERS
#endif
