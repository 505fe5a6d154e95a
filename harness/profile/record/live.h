/* SPDX-License-Identifier: MIT
 *
 * The objects that are allocated now. Those that near.h has no place for are in tables: of each, its address and the
 * number of its birth, together in 64 bits.
 *
 * 64 tables by address, each with a lock of its own, so that threads seldom meet. Open addressing; what stands behind a
 * removed object moves up, so that a search ends at the first free slot.
 *
 *   address   0 .. 0 [45 bits] 000        an allocator's addresses are multiples of 8
 *   mixed     [6: which table][39: tag]   by an odd factor: no two addresses become the same
 *   slot      [39: tag][25: birth]        0: free */
#ifndef AMP_PROFILE_LIVE_H
#define AMP_PROFILE_LIVE_H

#include "harness/profile/record/births.h"
#include "harness/profile/record/near.h"
#include "harness/profile/record/region.h"

/* In the tables: as amp_live_add() and amp_live_remove(). */
bool amp_live_add_far(uintptr_t address, uint32_t birth, uint32_t *replaced);
uint32_t amp_live_remove_far(uintptr_t address);

/* Remember an object. If its address is known already, whose end was not seen, *replaced is that one's birth, else 0.
 * False: there is no memory for it. */
static inline bool amp_live_add(uintptr_t address, uint32_t birth, uint32_t *replaced)
{
    uint32_t *at = amp_near_at(address);

    if (__builtin_expect(!at, 0))
        return amp_live_add_far(address, birth, replaced);
    *replaced = __atomic_load_n(at, __ATOMIC_RELAXED);
    __atomic_store_n(at, birth, __ATOMIC_RELAXED);
    return true;
}

/* Forget an object, and return its birth; 0: it is not known. */
static inline uint32_t amp_live_remove(uintptr_t address)
{
    uint32_t *at = amp_near_at(address);
    uint32_t birth;

    if (__builtin_expect(!at, 0))
        return amp_live_remove_far(address);
    birth = __atomic_load_n(at, __ATOMIC_RELAXED);
    __atomic_store_n(at, 0, __ATOMIC_RELAXED);
    return birth;
}

#endif
