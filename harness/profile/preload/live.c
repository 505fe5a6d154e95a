/* SPDX-License-Identifier: MIT
 *
 * 64 tables by address, each with a lock of its own, so that threads seldom meet. Open addressing; what stands behind a
 * removed object moves up, so that a search ends at the first free slot. */
#include "harness/profile/preload/live.h"

#include "harness/profile/preload/region.h"

#define TABLES 64
#define FIRST_SLOTS 64 /* a power of two */

struct table {
    struct amp_lock lock;
    size_t n, n_slots;
    struct amp_object *slots;
} __attribute__((aligned(64)));

/* Of this process alone: a forked child has other objects. */
static struct table *tables;

static uint64_t hash_of(uintptr_t address)
{
    return (address >> 4) * 0x9e3779b97f4a7c15u;
}

static size_t slot_of(const struct table *table, uintptr_t address)
{
    return hash_of(address) >> 16 & (table->n_slots - 1);
}

static struct table *table_of(uintptr_t address)
{
    static struct amp_lock making;

    if (__builtin_expect(!__atomic_load_n(&tables, __ATOMIC_ACQUIRE), 0)) {
        amp_lock(&making);
        if (!tables)
            __atomic_store_n(&tables, amp_region_map(TABLES * sizeof *tables), __ATOMIC_RELEASE);
        amp_unlock(&making);
    }
    return tables ? &tables[hash_of(address) >> 58] : NULL;
}

static struct amp_object *find(const struct table *table, uintptr_t address)
{
    for (size_t i = slot_of(table, address);; i = (i + 1) & (table->n_slots - 1))
        if (table->slots[i].address == address || table->slots[i].address == 0)
            return &table->slots[i];
}

static bool grow(struct table *table)
{
    struct table larger = { .n = table->n, .n_slots = table->n_slots ? 2 * table->n_slots : FIRST_SLOTS };

    larger.slots = amp_region_map(larger.n_slots * sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < table->n_slots; i++)
        if (table->slots[i].address)
            *find(&larger, table->slots[i].address) = table->slots[i];
    if (table->slots)
        amp_region_unmap(table->slots, table->n_slots * sizeof *table->slots);
    table->n_slots = larger.n_slots;
    table->slots = larger.slots;
    return true;
}

bool amp_live_add(const struct amp_object *object, struct amp_object *replaced)
{
    struct table *table = table_of(object->address);
    bool fits;

    replaced->address = 0;
    if (!table)
        return false;
    amp_lock(&table->lock);
    fits = 4 * (table->n + 1) <= 3 * table->n_slots || grow(table) || table->n + 1 < table->n_slots;
    if (fits) {
        struct amp_object *slot = find(table, object->address);

        *replaced = *slot;
        table->n += slot->address == 0;
        *slot = *object;
    }
    amp_unlock(&table->lock);
    return fits;
}

/* Move up what stands behind a free slot and would no longer be found. */
static void close_gap(struct table *table, size_t gap)
{
    const size_t mask = table->n_slots - 1;

    for (size_t i = (gap + 1) & mask; table->slots[i].address; i = (i + 1) & mask) {
        size_t home = slot_of(table, table->slots[i].address);

        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        table->slots[gap] = table->slots[i];
        gap = i;
    }
    table->slots[gap].address = 0;
}

struct amp_object amp_live_remove(uintptr_t address)
{
    struct table *table = table_of(address);
    struct amp_object object = { 0 };

    if (!table)
        return object;
    amp_lock(&table->lock);
    if (table->n_slots > 0) {
        struct amp_object *slot = find(table, address);

        object = *slot;
        if (object.address) {
            table->n--;
            close_gap(table, (size_t) (slot - table->slots));
        }
    }
    amp_unlock(&table->lock);
    return object;
}
