// SPDX-License-Identifier: MIT
/* A lesson in C++: a string that is too long for the object itself, handed over by value and by reference.
 *
 *   value     title --copy--> on the heap --> callee       1 allocation
 *   pointer   title <--[ & ]-- callee
 *
 * Same on both sides:  the title, and what the callee reads of it.
 * Different:           who owns what it reads. */
#include "harness/kernel.h"

#include <string>

static const std::string title(40, 't');

static AMP_NOINLINE uint64_t length_of_value(std::string text)
{
    amp_keep(&text);
    return text.size();
}

static AMP_NOINLINE uint64_t length_of_reference(const std::string &text)
{
    amp_keep(&text);
    return text.size();
}

static uint64_t run_value(void *, uint64_t ops)
{
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += length_of_value(title);
    return sum;
}

static uint64_t run_pointer(void *, uint64_t ops)
{
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += length_of_reference(title);
    return sum;
}

AMP_PAIR(title,
         .question = "What does a long std::string cost by value, and what by reference?",
         .value = { .run = run_value, .allocs_per_op = 1, .bytes_per_op = 41 },
         .pointer = { .run = run_pointer, .allocs_per_op = 0 },
         .sizes = AMP_SIZES(40),
         .prefer = "Take strings by reference unless the callee keeps them.");
