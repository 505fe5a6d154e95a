/* SPDX-License-Identifier: MIT
 *
 * Two chains of dependent steps, one longer by a known part: does the harness measure the difference?
 *
 *   value     o-->o-->o--> ... -->o               1000 steps an operation
 *   pointer   o-->o-->o--> ... -->o-->o-->o       1005, 1010 or 1050
 *
 * Same on both sides:  the function, at one address: the fixture says how many steps an operation has.
 * Different:           that number, and nothing else.
 *
 * The true ratio is that of the steps, to within 0.001 %. All steps of all operations are one loop, so an operation
 * costs only its steps. What an epoch costs in addition (a call and the end of a loop, about 10 ns of 50 us, the same
 * on both sides) takes 0.02 % of the difference: 0.0001 of 0.5 percentage points, 0.001 of 5. Each step waits for the
 * one before; no neighbour on the core and no placement changes that latency on one side only.
 *
 * A step rotates a word of 60 bits by 12, so five steps restore it. All four lengths are multiples of five, so both
 * sides end where they began, and their checksums agree.
 */
#include "harness/kernel.h"

struct chain {
    uint64_t steps; /* an operation's */
    uint64_t word;
};

static uint64_t run(void *fixture, uint64_t ops)
{
    struct chain *chain = fixture;
    uint64_t word = chain->word;

    for (uint64_t i = ops * chain->steps; i > 0; i--) {
        word = (word << 12 | word >> 48) & 0xfffffffffffffff;
        __asm__ volatile("" : "+r"(word)); /* or clang joins four steps into one, of another latency */
    }
    chain->word = word;
    return word * ops;
}

static void *set_up(size_t steps)
{
    struct chain *chain = amp_alloc(sizeof *chain);

    *chain = (struct chain){ .steps = steps, .word = 0x123456789abcdef };
    return chain;
}

static void *set_up_half(size_t steps)
{
    return set_up(steps + steps / 200);
}

static void *set_up_one(size_t steps)
{
    return set_up(steps + steps / 100);
}

static void *set_up_five(size_t steps)
{
    return set_up(steps + steps / 20);
}

AMP_PAIR(known_half,
         .question = "Is a difference of 0.5 % read as 0.5 %?",
         .value = { run, .calls = "", .label = "1000 steps", .set_up = set_up, .tear_down = free },
         .pointer = { run, .calls = "", .label = "1005 steps", .set_up = set_up_half, .tear_down = free },
         .sizes = AMP_SIZES(1000), .size_unit = "steps", .truth = "1.005");

AMP_PAIR(known_one,
         .question = "Is a difference of 1 % read as 1 %?",
         .value = { run, .calls = "", .label = "1000 steps", .set_up = set_up, .tear_down = free },
         .pointer = { run, .calls = "", .label = "1010 steps", .set_up = set_up_one, .tear_down = free },
         .sizes = AMP_SIZES(1000), .size_unit = "steps", .truth = "1.01");

AMP_PAIR(known_five,
         .question = "Is a difference of 5 % read as 5 %?",
         .value = { run, .calls = "", .label = "1000 steps", .set_up = set_up, .tear_down = free },
         .pointer = { run, .calls = "", .label = "1050 steps", .set_up = set_up_five, .tear_down = free },
         .sizes = AMP_SIZES(1000), .size_unit = "steps", .truth = "1.05");
