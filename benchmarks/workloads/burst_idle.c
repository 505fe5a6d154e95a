/* SPDX-License-Identifier: MIT
 *
 * A burst needs much memory at once, and then none of it.
 *
 *     live    /|                 the first BURST operations allocate, the next BURST free, in another order,
 *            / |                 and so on
 *           /  |______________
 *
 * The memory that the allocator keeps then can be reused quickly, but no other program can use it meanwhile. */
#include "benchmarks/workloads/sizes.h"
#include "benchmarks/workloads/slots.h"

enum { BURST = 16384 };

struct burst {
    uint64_t at; /* operations done: below BURST within a round they allocate */
    struct slots *slots;
};

static void *set_up(uint64_t seed)
{
    struct burst *burst = amp_map(sizeof *burst);

    burst->slots = slots_map(BURST, seed);
    return burst;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    struct burst *burst = fixture;
    struct slots *slots = burst->slots;
    uint64_t sum = 0;

    (void) thread;
    for (uint64_t i = ops; i > 0; i--) {
        size_t at = (size_t) (burst->at++ % (2 * BURST));

        if (at < BURST)
            slots_put(slots, at, size_between(&slots->random, 6, 6));
        else /* an odd factor visits each slot once */
            sum += slots_take(slots, (at - BURST) * 7919 % BURST);
    }
    return sum;
}

static void drain(void *fixture)
{
    struct burst *burst = fixture;

    slots_drain(burst->slots);
    burst->at = 0;
}

static uint64_t asked_peak_b(const void *fixture)
{
    return ((const struct burst *) fixture)->slots->peak_b;
}

static void tear_down(void *fixture)
{
    struct burst *burst = fixture;

    slots_unmap(burst->slots);
    amp_unmap(burst, sizeof *burst);
}

AMP_WORKLOAD(
    burst_idle,
    .purpose =
        "A burst of 16,384 blocks is allocated, then freed: what is kept, and what does it cost to have it again?",
    .operation = "half a malloc of 64 B to 4 KiB and its free", .threads = 1, .chunk_ops = 2 * BURST,
    .latency_ops = 2 * BURST, .set_up = set_up, .run = run, .drain = drain, .asked_peak_b = asked_peak_b,
    .tear_down = tear_down);
