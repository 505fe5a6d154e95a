/* SPDX-License-Identifier: MIT
 *
 * Sixteen buffers grow by a half at a time, in random order, as vectors and strings of unknown size do. A buffer that
 * would exceed 1 MiB is freed and begins again.
 *
 *     [ 64 ] -> [ 96 ] -> [ 144 ] -> ... -> [ 900 Ki ] -> free
 *
 * The allocator may copy, remap pages, or find room behind the buffer. The stamps at both ends of the old bytes must
 * still be there. */
#include "benchmarks/workloads/slots.h"

enum { BUFFERS = 16, FIRST_B = 64, LIMIT_B = 1 << 20 };

static uint64_t grow(struct slots *slots, struct slot *slot)
{
    size_t size = slot->size + slot->size / 2;
    unsigned char *block = realloc(slot->block, size);
    uint64_t sum;

    if (!block)
        _exit(AMP_EXIT_NO_MEMORY);
    sum = read_stamp(block, slot->size);
    for (size_t at = slot->size; at < size; at += PAGE_B)
        block[at] = 1;
    stamp(block, size, slots->ops++);
    slots->live_b += size - slot->size;
    if (slots->live_b > slots->peak_b)
        slots->peak_b = slots->live_b;
    slot->block = block;
    slot->size = size;
    return sum;
}

static void *set_up(uint64_t seed)
{
    struct slots *slots = slots_map(BUFFERS, seed);

    for (size_t i = 0; i < BUFFERS; i++)
        slots_put(slots, i, FIRST_B);
    return slots;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    struct slots *slots = fixture;
    uint64_t sum = 0;

    (void) thread;
    for (uint64_t i = ops; i > 0; i--) {
        size_t at = (size_t) amp_random_below(&slots->random, BUFFERS);
        struct slot *slot = &slots->slot[at];

        if (slot->block && slot->size + slot->size / 2 <= LIMIT_B) {
            sum += grow(slots, slot);
        } else {
            sum += slots_take(slots, at);
            slots_put(slots, at, FIRST_B);
        }
    }
    return sum;
}

AMP_WORKLOAD(growing_realloc,
             .purpose = "Buffers grow by a half at a time from 64 B to 1 MiB, as vectors and strings do.",
             .operation = "a realloc to one and a half times the size", .threads = 1, .chunk_ops = 800,
             .latency_ops = 2000, .set_up = set_up, .run = run, .drain = slots_drain_fixture,
             .asked_peak_b = slots_asked_peak_b, .tear_down = slots_tear_down);
