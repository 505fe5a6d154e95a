/* SPDX-License-Identifier: MIT
 *
 * Pass an object that the caller has just made, member by member: by value, or by address. Most calls are of this kind;
 * pass.c is about an object that lies in memory already.
 *
 *   value     [a][b][c][d] --[a b c d]--> callee    N bytes written member by member, then copied (more than 16 B)
 *   pointer   [a][b][c][d] --[ & ]-----> callee     N bytes written member by member
 *
 * Same on both sides:  the members, what they are set to, and the two of them that the callee reads.
 * Different:           the copy. It loads many bytes that several stores wrote just before, so it waits until these
 *                      have reached the cache: processors forward one store to a load, not several.
 *
 * The members get values from registers that the compiler does not know: see ask/maker.py. */
#include "harness/kernel.h"
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

static AMP_NOINLINE uint64_t ask_take_new(subject object)
{
    return amp_ends(&object);
}

static AMP_NOINLINE uint64_t ask_take_new_at(const subject *object)
{
    return amp_ends(object);
}

static uint64_t ask_made_value(void *fixture, uint64_t ops)
{
    const struct amp_parts *parts = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject object;

        amp_keep(parts); /* they may have changed */
        amp_make(&object, i, parts);
        sum += ask_take_new(object);
    }
    return sum;
}

static uint64_t ask_made_pointer(void *fixture, uint64_t ops)
{
    const struct amp_parts *parts = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject object;

        amp_keep(parts);
        amp_make(&object, i, parts);
        sum += ask_take_new_at(&object);
    }
    return sum;
}

static void *ask_parts_set_up(size_t size)
{
    struct amp_parts *parts = amp_alloc(sizeof *parts);

    (void) size;
    *parts = (struct amp_parts) AMP_PARTS;
    return parts;
}

AMP_PAIR(ask_made,
         .question = "What does it cost to hand over an object that was just made, and what to hand over its address?",
         .value = { ask_made_value, .calls = AMP_SUBJECT_CALLS("ask_take_new", ""), .copied_b_per_op = AMP_ANY,
                    .set_up = ask_parts_set_up, .tear_down = free },
         .pointer = { ask_made_pointer, .calls = AMP_SUBJECT_CALLS("ask_take_new_at", ""), .copied_b_per_op = AMP_ANY,
                      .set_up = ask_parts_set_up, .tear_down = free },
         .sizes = AMP_SUBJECT_SIZES);

#endif
