/* SPDX-License-Identifier: MIT
 *
 * The objects that are allocated now: of each, its address and the number of its birth, together in 64 bits.
 *
 * 64 tables by address, each with a lock of its own, so that threads seldom meet. Open addressing; what stands behind a
 * removed object moves up, so that a search ends at the first free slot.
 *
 *   address   0 .. 0 [45 bits] 000        an allocator's addresses are multiples of 8
 *   mixed     [6: which table][39: tag]   by an odd factor: no two addresses become the same
 *   slot      [39: tag][25: birth]        0: free
 *
 * What each allocation does stands here, to be inlined. */
#ifndef AMP_PROFILE_LIVE_H
#define AMP_PROFILE_LIVE_H

#include "harness/profile/record/births.h"
#include "harness/profile/record/region.h"

#define AMP_LIVE_BITS 45 /* of an address that count */
#define AMP_LIVE_TAG_BITS (64 - AMP_BIRTH_BITS)
#define AMP_LIVE_TABLES ((size_t) 1 << (AMP_LIVE_BITS - AMP_LIVE_TAG_BITS))
#define AMP_LIVE_FACTOR 0x13c6ef372fe9u /* odd; near the golden part of 2^45 */

struct amp_live_table {
    struct amp_lock lock;
    uint32_t n, n_slots, most; /* most: objects before there must be more slots */
    uint64_t *slots;
} __attribute__((aligned(64)));

/* Of this process alone: a forked child has other objects. NULL: none yet. */
extern struct amp_live_table *amp_live_tables;

/* Make them; NULL: no memory. */
struct amp_live_table *amp_live_begin(void);

/* Make room for one more; false: there is no memory. */
bool amp_live_grow(struct amp_live_table *table);

/* A slot is free: move up what stands behind it and would no longer be found. */
void amp_live_close_gap(struct amp_live_table *table, size_t gap);

static inline uint64_t amp_live_mix(uintptr_t address)
{
    uint64_t bits = address >> 3;

    return (bits ^ bits >> 20) * AMP_LIVE_FACTOR & (((uint64_t) 1 << AMP_LIVE_BITS) - 1);
}

/* The table of an address; NULL: no memory, or the address is beyond 2^48 or no multiple of 8. */
static inline struct amp_live_table *amp_live_table_of(uintptr_t address, uint64_t mixed)
{
    struct amp_live_table *all = __atomic_load_n(&amp_live_tables, __ATOMIC_ACQUIRE);

    if (__builtin_expect(!all, 0))
        all = amp_live_begin();
    return !all || address >> (AMP_LIVE_BITS + 3) || address % 8 ? NULL : &all[mixed >> AMP_LIVE_TAG_BITS];
}

static inline size_t amp_live_next(const struct amp_live_table *table, size_t i)
{
    return i + 1 < table->n_slots ? i + 1 : 0;
}

/* Where an entry belongs: its tag's part of the largest tag is its part of the table. */
static inline size_t amp_live_home(const struct amp_live_table *table, uint64_t entry)
{
    return (entry >> 32) * table->n_slots >> 32;
}

/* The slot with this tag, or the free one where it would be. */
static inline size_t amp_live_find(const struct amp_live_table *table, uint64_t entry)
{
    size_t i = amp_live_home(table, entry);

    while (table->slots[i] && (table->slots[i] ^ entry) >> AMP_BIRTH_BITS)
        i = amp_live_next(table, i);
    return i;
}

static inline uint32_t amp_live_birth(uint64_t entry)
{
    return (uint32_t) (entry & (((uint64_t) 1 << AMP_BIRTH_BITS) - 1));
}

/* Remember an object. If its address is known already, whose end was not seen, *replaced is that one's birth, else 0.
 * False: there is no table for it. */
__attribute__((__always_inline__)) static inline bool amp_live_add(uintptr_t address, uint32_t birth,
                                                                   uint32_t *replaced)
{
    uint64_t mixed = amp_live_mix(address), entry = mixed << AMP_BIRTH_BITS | birth;
    struct amp_live_table *table = amp_live_table_of(address, mixed);
    bool fits;

    *replaced = 0;
    if (!table)
        return false;
    amp_lock(&table->lock);
    fits = table->n < table->most || amp_live_grow(table);
    if (__builtin_expect(fits, 1)) {
        uint64_t *slot = &table->slots[amp_live_find(table, entry)];

        *replaced = amp_live_birth(*slot);
        table->n += *slot == 0;
        *slot = entry;
    }
    amp_unlock(&table->lock);
    return fits;
}

/* Forget an object, and return its birth; 0: it is not known. */
__attribute__((__always_inline__)) static inline uint32_t amp_live_remove(uintptr_t address)
{
    uint64_t mixed = amp_live_mix(address);
    struct amp_live_table *table = amp_live_table_of(address, mixed);
    uint32_t birth;
    size_t at;

    if (!table || table->n_slots == 0)
        return 0;
    amp_lock(&table->lock);
    at = amp_live_find(table, mixed << AMP_BIRTH_BITS);
    birth = amp_live_birth(table->slots[at]);
    table->n -= birth != 0;
    table->slots[at] = 0;
    if (birth && table->slots[amp_live_next(table, at)])
        amp_live_close_gap(table, at);
    amp_unlock(&table->lock);
    return birth;
}

#endif
