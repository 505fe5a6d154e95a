/* SPDX-License-Identifier: MIT
 *
 * Pass 16 B of which one half is a double, and 16 B behind five other arguments.
 *
 *   pass_mixed      value     rdi [ word ]  xmm0 [ double ]         a register of each kind (x86-64)
 *                   pointer   rdi [ & ] --> [ word ][ double ]
 *
 *   pass_pressure   value     rdi rsi rdx rcx r8  stack [ word ][ word ]    one register is left, so both words go onto
 *                                                                           the stack (x86-64)
 *                   pointer   rdi rsi rdx rcx r8 r9 [ & ] --> [ word ][ word ]
 *
 * Same on both sides:  the object, both of its members are read, the other arguments.
 * Different:           how the object gets to the callee. On AArch64 both members of pass_mixed are in general
 *                      registers, and there are eight of these: the words of pass_pressure fit.
 */
#include "harness/kernel.h"

struct mixed {
    uint64_t word;
    double number;
};

struct couple {
    uint64_t first, second;
};

static AMP_NOINLINE uint64_t take_mixed_value(struct mixed object)
{
    return object.word + (uint64_t) (int64_t) object.number;
}

static AMP_NOINLINE uint64_t take_mixed_pointer(const struct mixed *object)
{
    return object->word + (uint64_t) (int64_t) object->number;
}

static AMP_NOINLINE uint64_t take_last_value(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                             struct couple object)
{
    return a + b + c + d + e + object.first + object.second;
}

static AMP_NOINLINE uint64_t take_last_pointer(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                               const struct couple *object)
{
    return a + b + c + d + e + object->first + object->second;
}

static uint64_t run_mixed_value(void *fixture, uint64_t ops)
{
    const struct mixed *object = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += take_mixed_value(*object);
    }
    return sum;
}

static uint64_t run_mixed_pointer(void *fixture, uint64_t ops)
{
    const struct mixed *object = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += take_mixed_pointer(object);
    }
    return sum;
}

static uint64_t run_last_value(void *fixture, uint64_t ops)
{
    const struct couple *object = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += take_last_value(i, i, i, i, i, *object);
    }
    return sum;
}

static uint64_t run_last_pointer(void *fixture, uint64_t ops)
{
    const struct couple *object = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += take_last_pointer(i, i, i, i, i, object);
    }
    return sum;
}

static void *set_up_mixed(size_t size)
{
    struct mixed *object = amp_alloc(size);

    *object = (struct mixed){ 1, 2 };
    return object;
}

static void *set_up_couple(size_t size)
{
    struct couple *object = amp_alloc(size);

    *object = (struct couple){ 1, 2 };
    return object;
}

#ifdef __x86_64__
#define LAST_COPIED_B sizeof(struct couple)
#else
#define LAST_COPIED_B 0 /* AArch64 has two registers more for arguments */
#endif

AMP_PAIR(pass_mixed,
         .question = "What does an argument of a word and a double cost by value, and what by const pointer?",
         .value = { run_mixed_value, .calls = "take_mixed_value", .set_up = set_up_mixed, .tear_down = free },
         .pointer = { run_mixed_pointer, .calls = "take_mixed_pointer", .set_up = set_up_mixed, .tear_down = free },
         .sizes = AMP_SIZES(sizeof(struct mixed)),
         AMP_CLAIMS({ AMP_NEITHER, .text = "Pass a word and a double as reads best: both fit into registers." }));

AMP_PAIR(pass_pressure,
         .question = "What does an argument of 16 B cost by value, and what by const pointer, if five others come "
                     "before it?",
         .value = { run_last_value, .calls = "take_last_value", .copied_b_per_op = LAST_COPIED_B,
                    .set_up = set_up_couple, .tear_down = free },
         .pointer = { run_last_pointer, .calls = "take_last_pointer", .set_up = set_up_couple, .tear_down = free },
         .sizes = AMP_SIZES(sizeof(struct couple)),
         AMP_CLAIMS({ AMP_NEITHER, .abi = AMP_SYSV, .text =
                      "A small argument that no longer fits into the registers costs less than half a nanosecond "
                      "more." },
                    { AMP_NEITHER, .abi = AMP_AAPCS64, .text =
                      "Pass 16 B behind five other arguments as reads best: they still fit into registers." }));
