/* SPDX-License-Identifier: MIT
 *
 * The pointer side never comes back, and deaf to every signal that can be refused: its row must be failed by the
 * time-out. */
#include "harness/kernel.h"

#include <signal.h>

static uint64_t run_value(void *fixture, uint64_t ops)
{
    (void) fixture;
    return ops;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    (void) fixture;
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    for (volatile uint64_t i = ops; i > 0;)
        pause();
    return ops;
}

AMP_PAIR(hang,
    .question = "Does a kernel that never ends end?",
    .value = { run_value },
    .pointer = { run_pointer },
    .sizes = AMP_SIZES(8),
);
