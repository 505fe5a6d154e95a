/* SPDX-License-Identifier: MIT
 *
 * A full table of live blocks; an operation frees one at random and allocates another in its place.
 *
 *     small_churn   8,192 blocks of 16 to 128 B     what a thread cache is made for
 *     mixed_churn   4,096 blocks of a fleet's sizes   see sizes.h
 *     large_blocks  8 blocks of 64 KiB to 4 MiB       every page is touched: is it still there, or faulted in again? */
#include "benchmarks/workloads/sizes.h"
#include "benchmarks/workloads/slots.h"

static uint64_t churn(struct slots *slots, uint64_t ops, size_t (*size)(uint64_t *random))
{
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        size_t at = (size_t) amp_random_below(&slots->random, slots->n);

        sum += slots_take(slots, at);
        slots_put(slots, at, size(&slots->random));
    }
    return sum;
}

static void *full_table(size_t n, uint64_t seed, size_t (*size)(uint64_t *random))
{
    struct slots *slots = slots_map(n, seed);

    for (size_t i = 0; i < n; i++)
        slots_put(slots, i, size(&slots->random));
    return slots;
}

static size_t small(uint64_t *random)
{
    return 16 + (size_t) amp_random_below(random, 113);
}

static void *set_up_small(uint64_t seed)
{
    return full_table(8192, seed, small);
}

static uint64_t run_small(void *fixture, unsigned thread, uint64_t ops)
{
    (void) thread;
    return churn(fixture, ops, small);
}

AMP_WORKLOAD(small_churn, .purpose = "Small blocks come and go in one thread, as nodes, strings and closures do.",
             .operation = "a free and a malloc of 16 to 128 B", .threads = 1, .chunk_ops = 150000, .latency_ops = 10000,
             .set_up = set_up_small, .run = run_small, .drain = slots_drain_fixture, .asked_peak_b = slots_asked_peak_b,
             .tear_down = slots_tear_down);

static void *set_up_mixed(uint64_t seed)
{
    return full_table(4096, seed, size_of_fleet);
}

static uint64_t run_mixed(void *fixture, unsigned thread, uint64_t ops)
{
    (void) thread;
    return churn(fixture, ops, size_of_fleet);
}

AMP_WORKLOAD(
    mixed_churn,
    .purpose = "Blocks of all sizes come and go in one thread, in the shares that a large fleet was found to have.",
    .operation = "a free and a malloc of 8 B to 1 MiB", .threads = 1, .chunk_ops = 60000, .latency_ops = 10000,
    .set_up = set_up_mixed, .run = run_mixed, .drain = slots_drain_fixture, .asked_peak_b = slots_asked_peak_b,
    .tear_down = slots_tear_down);

static size_t large(uint64_t *random)
{
    return size_between(random, 16, 6);
}

static void *set_up_large(uint64_t seed)
{
    return full_table(8, seed, large);
}

static uint64_t run_large(void *fixture, unsigned thread, uint64_t ops)
{
    (void) thread;
    return churn(fixture, ops, large);
}

AMP_WORKLOAD(large_blocks,
             .purpose = "Buffers of 64 KiB to 4 MiB come and go and are written to, as those of images and files are.",
             .operation = "a free and a malloc of 64 KiB to 4 MiB, each page touched", .threads = 1, .chunk_ops = 96,
             .latency_ops = 200, .set_up = set_up_large, .run = run_large, .drain = slots_drain_fixture,
             .asked_peak_b = slots_asked_peak_b, .tear_down = slots_tear_down);
