/* SPDX-License-Identifier: MIT
 *
 * The pointer side writes through a null pointer: its row must be failed by SIGSEGV, and only its row. */
#include "harness/kernel.h"

static uint64_t run_value(void *fixture, uint64_t ops)
{
    (void) fixture;
    return ops;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    volatile uint64_t *volatile p = NULL;

    (void) fixture;
    *p = ops;
    return ops;
}

AMP_PAIR(crash,
    .question = "Is a crash one row's and not the run's?",
    .value = { .run = run_value },
    .pointer = { .run = run_pointer },
    .sizes = AMP_SIZES(8),
);
