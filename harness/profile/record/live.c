/* SPDX-License-Identifier: MIT */
#include "harness/profile/record/live.h"

#include "harness/profile/record/region.h"
#include "harness/profile/unwind/thread.h"

#include <errno.h>

#define FIRST_SLOTS 512
#define ADDRESS_BITS 45 /* that count */
#define TAG_BITS (64 - AMP_BIRTH_BITS)
#define TABLES ((size_t) 1 << (ADDRESS_BITS - TAG_BITS))
#define FACTOR 0x13c6ef372fe9u /* odd; near the golden part of 2^45 */

struct table {
    struct amp_lock lock;
    uint32_t n, n_slots, most; /* most: objects before there must be more slots */
    uint64_t *slots;
} __attribute__((aligned(64)));

/* Of this process alone: a forked child has other objects. NULL: none yet. */
static AMP_HOT struct table *tables;

static struct table *begin(void)
{
    static struct amp_lock making;
    int error = errno;

    amp_lock(&making);
    if (!tables)
        __atomic_store_n(&tables, amp_region_map(TABLES * sizeof *tables), __ATOMIC_RELEASE);
    amp_unlock(&making);
    errno = error;
    return tables;
}

static uint64_t mix(uintptr_t address)
{
    uint64_t bits = address >> 3;

    return (bits ^ bits >> 20) * FACTOR & (((uint64_t) 1 << ADDRESS_BITS) - 1);
}

/* The table of an address; NULL: no memory, or the address is beyond 2^48 or no multiple of 8. */
static struct table *table_of(uintptr_t address, uint64_t mixed)
{
    struct table *all = __atomic_load_n(&tables, __ATOMIC_ACQUIRE);

    if (__builtin_expect(!all, 0))
        all = begin();
    return !all || address >> (ADDRESS_BITS + 3) || address % 8 ? NULL : &all[mixed >> TAG_BITS];
}

static size_t next(const struct table *table, size_t i)
{
    return i + 1 < table->n_slots ? i + 1 : 0;
}

/* Where an entry belongs: its tag's part of the largest tag is its part of the table. */
static size_t home_of(const struct table *table, uint64_t entry)
{
    return (entry >> 32) * table->n_slots >> 32;
}

/* The slot with this tag, or the free one where it would be. */
static size_t find(const struct table *table, uint64_t entry)
{
    size_t i = home_of(table, entry);

    while (table->slots[i] && (table->slots[i] ^ entry) >> AMP_BIRTH_BITS)
        i = next(table, i);
    return i;
}

static uint32_t birth_of(uint64_t entry)
{
    return (uint32_t) (entry & (((uint64_t) 1 << AMP_BIRTH_BITS) - 1));
}

/* By half: then between half and three quarters are in use. */
static bool enlarge(struct table *table)
{
    struct table larger = { .n_slots = table->n_slots ? table->n_slots / 2 * 3 : FIRST_SLOTS };
    int error = errno;

    larger.slots = amp_region_map(larger.n_slots * sizeof *larger.slots);
    errno = error;
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < table->n_slots; i++)
        if (table->slots[i])
            larger.slots[find(&larger, table->slots[i])] = table->slots[i];
    if (table->slots)
        amp_region_unmap(table->slots, table->n_slots * sizeof *table->slots);
    table->n_slots = larger.n_slots;
    table->most = larger.n_slots / 4 * 3;
    table->slots = larger.slots;
    return true;
}

/* Make room for one more; false: there is no memory. */
static bool grow(struct table *table)
{
    return enlarge(table) || table->n + 1 < table->n_slots; /* one free slot is where a search ends */
}

/* A slot is free: move up what stands behind it and would no longer be found. */
static void close_gap(struct table *table, size_t gap)
{
    for (size_t i = next(table, gap); table->slots[i]; i = next(table, i)) {
        size_t home = home_of(table, table->slots[i]);
        bool stays = gap < i ? gap < home && home <= i : gap < home || home <= i;

        if (stays)
            continue;
        table->slots[gap] = table->slots[i];
        table->slots[i] = 0;
        gap = i;
    }
}

static bool add(struct table *table, uint64_t entry, uint32_t *replaced)
{
    bool fits;

    amp_lock(&table->lock);
    fits = table->n < table->most || grow(table);
    if (fits) {
        uint64_t *slot = &table->slots[find(table, entry)];

        *replaced = birth_of(*slot);
        table->n += *slot == 0;
        *slot = entry;
    }
    amp_unlock(&table->lock);
    return fits;
}

bool amp_live_add_far(uintptr_t address, uint32_t birth, uint32_t *replaced)
{
    uint64_t mixed = mix(address);
    struct table *table;

    amp_near_claim(address);
    if (amp_near_at(address))
        return amp_live_add(address, birth, replaced);
    *replaced = 0;
    table = table_of(address, mixed);
    return table && add(table, mixed << AMP_BIRTH_BITS | birth, replaced);
}

uint32_t amp_live_remove_far(uintptr_t address)
{
    uint64_t mixed = mix(address);
    struct table *table = table_of(address, mixed);
    uint32_t birth;
    size_t at;

    if (!table || table->n_slots == 0)
        return 0;
    amp_lock(&table->lock);
    at = find(table, mixed << AMP_BIRTH_BITS);
    birth = birth_of(table->slots[at]);
    table->n -= birth != 0;
    table->slots[at] = 0;
    if (birth)
        close_gap(table, at);
    amp_unlock(&table->lock);
    return birth;
}
