/* SPDX-License-Identifier: MIT
 *
 * 64 tables by address, each with a lock of its own, so that threads seldom meet. Open addressing; what stands behind a
 * removed object moves up, so that a search ends at the first free slot.
 *
 *   address   0 .. 0 [45 bits] 000        an allocator's addresses are multiples of 8
 *   mixed     [6: which table][39: tag]   by an odd factor: no two addresses become the same
 *   slot      [39: tag][25: birth]        0: free
 */
#include "harness/profile/record/live.h"

#include "harness/profile/record/births.h"
#include "harness/profile/record/region.h"

#include <errno.h>

#define ADDRESS_BITS 45
#define TAG_BITS (64 - AMP_BIRTH_BITS)
#define TABLES ((size_t) 1 << (ADDRESS_BITS - TAG_BITS))
#define FACTOR 0x13c6ef372fe9u /* odd; near the golden part of 2^45 */
#define FIRST_SLOTS 512

struct table {
    struct amp_lock lock;
    uint32_t n, n_slots;
    uint64_t *slots;
} __attribute__((aligned(64)));

/* Of this process alone: a forked child has other objects. */
static struct table *tables;

static struct table *begin(void)
{
    static struct amp_lock making;

    amp_lock(&making);
    if (!tables)
        __atomic_store_n(&tables, amp_region_map(TABLES * sizeof *tables), __ATOMIC_RELEASE);
    amp_unlock(&making);
    return tables;
}

static uint64_t mix(uintptr_t address)
{
    uint64_t bits = address >> 3;

    return (bits ^ bits >> 20) * FACTOR & (((uint64_t) 1 << ADDRESS_BITS) - 1);
}

static struct table *table_of(uint64_t mixed)
{
    struct table *all = __atomic_load_n(&tables, __ATOMIC_ACQUIRE);

    if (__builtin_expect(!all, 0) && !(all = begin()))
        return NULL;
    return &all[mixed >> TAG_BITS];
}

/* Where an entry belongs: its tag's part of the largest tag is its part of the table. */
static size_t home_of(const struct table *table, uint64_t entry)
{
    return (entry >> 32) * table->n_slots >> 32;
}

static size_t next(const struct table *table, size_t i)
{
    return i + 1 < table->n_slots ? i + 1 : 0;
}

/* The slot with this tag, or the free one where it would be. */
static size_t find(const struct table *table, uint64_t entry)
{
    size_t i = home_of(table, entry);

    while (table->slots[i] && (table->slots[i] ^ entry) >> AMP_BIRTH_BITS)
        i = next(table, i);
    return i;
}

/* By half: then between half and three quarters are in use. */
static bool grow(struct table *table)
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
    table->slots = larger.slots;
    return true;
}

bool amp_live_add(uintptr_t address, uint32_t birth, uint32_t *replaced)
{
    uint64_t mixed = mix(address), entry = mixed << AMP_BIRTH_BITS | birth;
    struct table *table = table_of(mixed);
    bool fits;

    *replaced = 0;
    if (!table || address >> (ADDRESS_BITS + 3) || address % 8)
        return false;
    amp_lock(&table->lock);
    fits = 4 * (uint64_t) (table->n + 1) <= 3 * (uint64_t) table->n_slots || grow(table) ||
           table->n + 1 < table->n_slots;
    if (fits) {
        uint64_t *slot = &table->slots[find(table, entry)];

        *replaced = (uint32_t) (*slot & (((uint64_t) 1 << AMP_BIRTH_BITS) - 1));
        table->n += *slot == 0;
        *slot = entry;
    }
    amp_unlock(&table->lock);
    return fits;
}

/* Move up what stands behind a free slot and would no longer be found. */
static void close_gap(struct table *table, size_t gap)
{
    for (size_t i = next(table, gap); table->slots[i]; i = next(table, i)) {
        size_t home = home_of(table, table->slots[i]);
        bool stays = gap < i ? gap < home && home <= i : gap < home || home <= i;

        if (stays)
            continue;
        table->slots[gap] = table->slots[i];
        gap = i;
    }
    table->slots[gap] = 0;
}

uint32_t amp_live_remove(uintptr_t address)
{
    uint64_t mixed = mix(address);
    struct table *table = table_of(mixed);
    uint32_t birth = 0;

    if (!table || address >> (ADDRESS_BITS + 3) || address % 8)
        return 0;
    amp_lock(&table->lock);
    if (table->n_slots > 0) {
        size_t i = find(table, mixed << AMP_BIRTH_BITS);

        birth = (uint32_t) (table->slots[i] & (((uint64_t) 1 << AMP_BIRTH_BITS) - 1));
        if (birth) {
            table->n--;
            close_gap(table, i);
        }
    }
    amp_unlock(&table->lock);
    return birth;
}
