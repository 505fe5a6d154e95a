/* SPDX-License-Identifier: MIT
 *
 * The sides return different checksums: they must never be timed. */
#include "harness/kernel.h"

static uint64_t run_value(void *fixture, uint64_t ops)
{
    (void) fixture;
    return ops;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    (void) fixture;
    return ops + 1;
}

AMP_PAIR(disagree,
    .question = "Are sides refused that do not do the same?",
    .value = { .run = run_value },
    .pointer = { .run = run_pointer },
    .sizes = AMP_SIZES(8),
);
