/* SPDX-License-Identifier: MIT
 *
 * The pointer side never comes back, is deaf to every signal that can be ignored and has started a process that is so,
 * too: its row must be failed by the time-out, and nothing of it may survive. */
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
    if (fork() < 0)
        return 0;
    for (volatile uint64_t i = ops; i > 0;)
        pause();
    return ops;
}

AMP_PAIR(hang,
    .question = "Does a kernel that never ends end?",
    .value = { .run = run_value },
    .pointer = { .run = run_pointer },
    .sizes = AMP_SIZES(8),
);

AMP_PAIR(hang_threads,
    .question = "Does it where it may use every CPU?",
    .value = { .run = run_value },
    .pointer = { .run = run_pointer },
    .sizes = AMP_SIZES(8),
    .threads = 2,
);
