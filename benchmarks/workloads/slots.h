/* SPDX-License-Identifier: MIT
 *
 * What most workloads are made of: a table of slots, each empty or with one live block in it.
 *
 *     slots   [ p, 48 ] [ - ] [ p, 112 ] ...        from amp_map()
 *               |               |
 *               v               v
 *             stamp ... stamp   stamp ... stamp      from the allocator
 *
 * A block carries its stamp in its first bytes and in its last byte, from the malloc to the free: memory that is handed
 * out twice shows in the checksum. A page of a block that nothing was written to is no memory yet, so a large block is
 * touched once a page. */
#ifndef AMP_SLOTS_H
#define AMP_SLOTS_H

#include "harness/workload.h"

#define PAGE_B 4096

struct slot {
    unsigned char *block; /* NULL: empty */
    size_t size;          /* at least 8 */
};

struct slots {
    uint64_t random;         /* state of amp_random_next() */
    uint64_t live_b, peak_b; /* as asked for */
    uint64_t ops;            /* puts so far: the next stamp */
    size_t n;
    struct slot slot[];
};

static inline size_t slots_size(size_t n)
{
    return sizeof(struct slots) + n * sizeof(struct slot);
}

static inline struct slots *slots_map(size_t n, uint64_t seed)
{
    struct slots *slots = amp_map(slots_size(n));

    slots->random = seed;
    slots->n = n;
    return slots;
}

static inline void slots_unmap(struct slots *slots)
{
    amp_unmap(slots, slots_size(slots->n));
}

static inline void stamp(unsigned char *block, size_t size, uint64_t value)
{
    for (size_t at = PAGE_B; at < size; at += PAGE_B)
        block[at] = 1;
    block[size - 1] = (unsigned char) value;
    memcpy(block, &value, sizeof value); /* covers the byte at the end of 8 */
}

static inline uint64_t read_stamp(const unsigned char *block, size_t size)
{
    uint64_t value;

    memcpy(&value, block, sizeof value);
    return value + ((uint64_t) block[size - 1] << 32);
}

static inline void slots_put(struct slots *slots, size_t i, size_t size)
{
    struct slot *slot = &slots->slot[i];

    slot->block = amp_alloc(size);
    slot->size = size;
    stamp(slot->block, size, slots->ops++);
    slots->live_b += size;
    if (slots->live_b > slots->peak_b)
        slots->peak_b = slots->live_b;
}

/* Free what is in the slot, if anything: its stamp and its size. */
static inline uint64_t slots_take(struct slots *slots, size_t i)
{
    struct slot *slot = &slots->slot[i];
    uint64_t value;

    if (!slot->block)
        return 0;
    value = read_stamp(slot->block, slot->size);
    free(slot->block);
    slot->block = NULL;
    slots->live_b -= slot->size;
    return value + slot->size;
}

static inline void slots_drain(struct slots *slots)
{
    for (size_t i = 0; i < slots->n; i++)
        slots_take(slots, i);
}

/* The rest of a workload whose fixture is one table. */
static inline void slots_drain_fixture(void *fixture)
{
    slots_drain(fixture);
}

static inline uint64_t slots_asked_peak_b(const void *fixture)
{
    return ((const struct slots *) fixture)->peak_b;
}

static inline void slots_tear_down(void *fixture)
{
    slots_unmap(fixture);
}

#endif
