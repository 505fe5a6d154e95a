/* SPDX-License-Identifier: MIT
 *
 * Generations of blocks, each of another size; one block in eight of every generation survives.
 *
 *     generation 1   [24][24][24][24][24][24][24][24]
 *     generation 2   [56]    [56][56] . [24] . [56] ...     a survivor keeps its run or page from being given back,
 *     generation 3   . [120] . [24] . [56] . [120] ...      and its neighbours' holes fit nobody
 *
 * Resident memory beyond what was asked for is fragmentation. A chunk is one generation of each size, since the slowest
 * size takes ten times as long as the fastest. */
#include "benchmarks/workloads/slots.h"

enum { BLOCKS = 4096, GENERATIONS = 6 };

static const size_t generation_b[GENERATIONS] = { 24, 56, 120, 264, 520, 1032 };

struct fragmentation {
    uint64_t at;
    struct slots *slots;
};

static void *set_up(uint64_t seed)
{
    struct fragmentation *f = amp_map(sizeof *f);

    f->slots = slots_map(BLOCKS, seed);
    return f;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    struct fragmentation *f = fixture;
    struct slots *slots = f->slots;
    uint64_t sum = 0;

    (void) thread;
    for (uint64_t i = ops; i > 0; i--) {
        uint64_t generation = f->at / BLOCKS;
        size_t at = (size_t) (f->at++ % BLOCKS);

        if (slots->slot[at].block && amp_random_below(&slots->random, 8) == 0)
            continue; /* a survivor */
        sum += slots_take(slots, at);
        slots_put(slots, at, generation_b[generation % GENERATIONS]);
    }
    return sum;
}

static void drain(void *fixture)
{
    struct fragmentation *f = fixture;

    slots_drain(f->slots);
    f->at = 0;
}

static uint64_t asked_peak_b(const void *fixture)
{
    return ((const struct fragmentation *) fixture)->slots->peak_b;
}

static void tear_down(void *fixture)
{
    struct fragmentation *f = fixture;

    slots_unmap(f->slots);
    amp_unmap(f, sizeof *f);
}

AMP_WORKLOAD(
    fragmentation,
    .purpose = "Generations of blocks of 24 to 1,032 B replace each other, but one in eight lives on between them.",
    .operation = "a free and a malloc of the next generation's size, or a block that lives on", .threads = 1,
    .chunk_ops = GENERATIONS * BLOCKS, .latency_ops = GENERATIONS * BLOCKS, .set_up = set_up, .run = run,
    .drain = drain, .asked_peak_b = asked_peak_b, .tear_down = tear_down);
