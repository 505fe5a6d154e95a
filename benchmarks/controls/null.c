/* SPDX-License-Identifier: MIT
 *
 * Pairs whose sides do not differ: if their ratio is not 1, every other ratio has the same error.
 *
 *   null          value ----.                         one function at one address:
 *                 pointer --'--> run --> take         the floor of the clockwork
 *
 *   null_placed   value   -----> run_value   --> take_value       two functions with the same instructions at two
 *                 pointer -----> run_pointer --> take_pointer     places: the floor of placement
 *
 *   empty         value ----.                         a loop with nothing in it: what a loop costs, and what any
 *                 pointer --'--> run_empty            harness adds to one
 *
 * Same on both sides:  everything; null_placed's two are made by one macro.
 * Different:           nothing, but for the address in null_placed.
 *
 * The kernel is that of `pass` at 16 bytes, the tightest loop with a call: no other kernel depends more on its place.
 */
#include "harness/kernel.h"

struct couple {
    uint64_t first, second;
};

#define KERNEL(run, take)                                                                                              \
    static AMP_NOINLINE uint64_t take(struct couple couple)                                                            \
    {                                                                                                                  \
        return couple.first + couple.second;                                                                           \
    }                                                                                                                  \
                                                                                                                       \
    static AMP_NOINLINE uint64_t run(void *fixture, uint64_t ops)                                                      \
    {                                                                                                                  \
        const struct couple *couple = fixture;                                                                         \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            amp_keep(couple);                                                                                          \
            sum += take(*couple);                                                                                      \
        }                                                                                                              \
        return sum;                                                                                                    \
    }

KERNEL(run, take)
KERNEL(run_value, take_value)
KERNEL(run_pointer, take_pointer)

static uint64_t run_empty(void *fixture, uint64_t ops)
{
    (void) fixture;
    for (uint64_t i = ops; i > 0; i--)
        __asm__ volatile("");
    return ops;
}

static void *set_up(size_t size)
{
    struct couple *couple = amp_alloc(size);

    *couple = (struct couple){ 1, 2 };
    return couple;
}

AMP_PAIR(null,
         .question = "How far from 1 is the ratio of a function to itself?",
         .value = { run, .calls = "take", .label = "once", .set_up = set_up, .tear_down = free },
         .pointer = { run, .calls = "take", .label = "once more", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(sizeof(struct couple)), .floor = 1);

AMP_PAIR(null_placed,
         .question = "How far from 1 is the ratio of a function to the same function at another place?",
         .value = { run_value, .calls = "take_value", .label = "here", .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .calls = "take_pointer", .label = "there", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(sizeof(struct couple)), .floor = 1);

AMP_PAIR(empty,
         .question = "What does a loop cost that does nothing?",
         .value = { .run = run_empty, .calls = "", .label = "once" },
         .pointer = { .run = run_empty, .calls = "", .label = "once more" },
         .sizes = AMP_SIZES(1), .size_unit = "loops");
