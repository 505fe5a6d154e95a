/* SPDX-License-Identifier: MIT
 *
 * The pointer side's fixture takes memory until there is none: its row must be failed for want of it, long before the
 * machine is short of any, since address space is limited and nothing here is touched. */
#include "harness/kernel.h"

static void *set_up(size_t size)
{
    void *p;

    do {
        p = amp_alloc(size);
        amp_keep(p);
    } while (p);
    return p;
}

static void tear_down(void *fixture)
{
    (void) fixture;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    (void) fixture;
    return ops;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    (void) fixture;
    return ops;
}

AMP_PAIR(no_memory,
    .question = "Is a row that finds no memory failed for that?",
    .value = { .run = run_value },
    .pointer = { .run = run_pointer, .set_up = set_up, .tear_down = tear_down },
    .sizes = AMP_SIZES(1 << 24),
);
