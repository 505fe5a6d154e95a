/* SPDX-License-Identifier: MIT
 *
 * Hand an object of 64 B on through several calls, each of which may need it.
 *
 *   value     f1 --[w w w w w w w w]--> f2 --[w w w w w w w w]--> f3 ...    64 B copied at each call
 *   pointer   f1 --[ & ]--> f2 --[ & ]--> f3 ...                            8 bytes at each
 *
 * Same on both sides:  the object, how many calls there are (the size of a row), the two members that the last one
 *                      reads.
 * Different:           how the object goes from each call to the next.
 */
#include "harness/kernel.h"

#define WORDS 8

struct order {
    uint64_t word[WORDS];
};

struct fixture {
    struct order order;
    uint64_t calls;
};

static AMP_NOINLINE uint64_t hand_value(struct order order, uint64_t calls)
{
    uint64_t read;

    if (calls == 1)
        return order.word[0] + order.word[WORDS - 1];
    read = hand_value(order, calls - 1);
    __asm__ volatile("" : "+r"(read)); /* work after the call, so that the compiler does not make a loop of it */
    return read;
}

static AMP_NOINLINE uint64_t hand_pointer(const struct order *order, uint64_t calls)
{
    uint64_t read;

    if (calls == 1)
        return order->word[0] + order->word[WORDS - 1];
    read = hand_pointer(order, calls - 1);
    __asm__ volatile("" : "+r"(read));
    return read;
}

static uint64_t run_value(void *memory, uint64_t ops)
{
    const struct fixture *fixture = memory;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(fixture);
        sum += hand_value(fixture->order, fixture->calls);
    }
    return sum;
}

static uint64_t run_pointer(void *memory, uint64_t ops)
{
    const struct fixture *fixture = memory;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(fixture);
        sum += hand_pointer(&fixture->order, fixture->calls);
    }
    return sum;
}

static void *set_up(size_t calls)
{
    struct fixture *fixture = amp_alloc(sizeof *fixture);

    fixture->calls = calls;
    for (size_t k = 0; k < WORDS; k++)
        fixture->order.word[k] = k + 1;
    return fixture;
}

AMP_PAIR(pass_depth,
         .question = "What does it cost to hand 64 B on through several calls: by value, and by const pointer?",
         .value = { run_value, .calls = "hand_value*", .copied_b_per_op = 64, .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .calls = "hand_pointer*", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(1, 2, 4, 8), .size_unit = "calls",
         AMP_CLAIMS({ AMP_POINTER, .from = 2, .text =
                      "Hand an object on by pointer: by value, each call copies it again." }));
