/* SPDX-License-Identifier: MIT
 *
 * Threads that share nothing, each with 2,048 live blocks of 16 to 512 B: whatever is slower with more of them than
 * with one is the allocator's, or for lack of CPUs. */
#include "benchmarks/workloads/slots.h"

enum { BLOCKS = 2048 };

struct threads {
    struct slots *of[AMP_WORKLOAD_THREADS];
};

static void *set_up(uint64_t seed)
{
    struct threads *threads = amp_map(sizeof *threads);

    for (unsigned i = 0; i < AMP_WORKLOAD_THREADS; i++)
        threads->of[i] = slots_map(BLOCKS, amp_random_next(&seed));
    return threads;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    struct slots *slots = ((struct threads *) fixture)->of[thread];
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        size_t at = (size_t) amp_random_below(&slots->random, BLOCKS);

        sum += slots_take(slots, at);
        slots_put(slots, at, 16 + (size_t) amp_random_below(&slots->random, 497));
    }
    return sum;
}

static void drain(void *fixture)
{
    for (unsigned i = 0; i < AMP_WORKLOAD_THREADS; i++)
        slots_drain(((struct threads *) fixture)->of[i]);
}

/* Each thread's own peak; they need not have come at one time, but with full tables they nearly do. */
static uint64_t asked_peak_b(const void *fixture)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < AMP_WORKLOAD_THREADS; i++)
        sum += ((const struct threads *) fixture)->of[i]->peak_b;
    return sum;
}

static void tear_down(void *fixture)
{
    struct threads *threads = fixture;

    for (unsigned i = 0; i < AMP_WORKLOAD_THREADS; i++)
        slots_unmap(threads->of[i]);
    amp_unmap(threads, sizeof *threads);
}

#define THREADS(n, words)                                                                                              \
    AMP_WORKLOAD(threads_##n, .purpose = words, .operation = "a free and a malloc of 16 to 512 B, of each thread",     \
                 .threads = n, .chunk_ops = 60000, .latency_ops = 10000, .set_up = set_up, .run = run, .drain = drain, \
                 .asked_peak_b = asked_peak_b, .tear_down = tear_down)

THREADS(1, "One thread with small blocks of its own: what more threads are to be held against.");
THREADS(2, "Two threads at once, each with small blocks of its own.");
THREADS(4, "Four threads at once, each with small blocks of its own.");
