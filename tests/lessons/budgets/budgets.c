/* SPDX-License-Identifier: MIT
 *
 * Pairs that keep to their budgets exactly, and pairs that take one more of something. */
#include "harness/kernel.h"

static uint64_t two_allocations(void *fixture, uint64_t ops)
{
    (void) fixture;
    for (uint64_t i = 0; i < ops; i++) {
        void *p = amp_alloc(100), *q = amp_alloc(28);

        amp_keep(p);
        amp_keep(q);
        free(p);
        free(q);
    }
    return ops;
}

static AMP_ALWAYS_INLINE void take_stack(void)
{
    char room[3000];

    memset(room, 1, sizeof room);
    amp_keep(room);
}

static uint64_t stack(void *fixture, uint64_t ops)
{
    (void) fixture;
    for (uint64_t i = 0; i < ops; i++)
        take_stack();
    return ops;
}

#define PAIR(name, run_it, ...)                                                                                        \
    AMP_PAIR(name, .question = "Does it keep to its budget?", .value = { .run = run_it },                              \
             .pointer = { .run = run_it, .budget = AMP_BUDGET(__VA_ARGS__) }, .sizes = AMP_SIZES(24))

PAIR(kept_exactly, two_allocations, .allocs = 2, .bytes = 128);
PAIR(kept_any, two_allocations, .allocs = AMP_ANY, .bytes = 128);
PAIR(kept_stack, stack, .stack_b = 4096);
PAIR(broken_allocs, two_allocations, .allocs = 1);
PAIR(broken_bytes, two_allocations, .allocs = 2, .bytes = 127);
PAIR(broken_nothing_named, two_allocations, .stack_b = 100000);
PAIR(broken_stack, stack, .stack_b = 2999);
