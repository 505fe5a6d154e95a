/* SPDX-License-Identifier: MIT
 *
 * The objects in the first stretches of memory that the program allocated from. The number of an object's birth stands
 * where its address says, so neither a search nor a lock is needed. All other objects are in the tables of live.h.
 *
 *   address   [page][10: stretch][10: granule] 0000      a stretch belongs to the first page that came to it, for good:
 *                                                         so it never changes where an object is looked for
 *
 * 4 MiB, of which only what is used takes memory, serve 16 MiB of heap. */
#ifndef AMP_PROFILE_NEAR_H
#define AMP_PROFILE_NEAR_H

#include <stddef.h>
#include <stdint.h>

#define AMP_NEAR_GRANULE_BITS 4
#define AMP_NEAR_STRETCH_BITS 14
#define AMP_NEAR_STRETCHES ((size_t) 1024)
#define AMP_NEAR_GRANULES (AMP_NEAR_STRETCHES << (AMP_NEAR_STRETCH_BITS - AMP_NEAR_GRANULE_BITS))

struct amp_near {
    uintptr_t owners[AMP_NEAR_STRETCHES]; /* where the page begins; 0: nobody's */
    uint32_t births[AMP_NEAR_GRANULES];   /* 0: no object */
};

/* Of this process alone. NULL: none yet. */
extern struct amp_near *amp_near;

/* Make the stretch of an address its own, if it is still nobody's. */
void amp_near_claim(uintptr_t address);

/* The place of an object's number; NULL: it is in the tables. What is no multiple of a granule has no owner. */
static inline uint32_t *amp_near_at(uintptr_t address)
{
    const uintptr_t within = (((uintptr_t) 1 << AMP_NEAR_STRETCH_BITS) - 1) & -((uintptr_t) 1 << AMP_NEAR_GRANULE_BITS);
    struct amp_near *near = __atomic_load_n(&amp_near, __ATOMIC_ACQUIRE);
    uintptr_t owner;

    if (__builtin_expect(!near, 0))
        return NULL;
    owner = __atomic_load_n(&near->owners[(address >> AMP_NEAR_STRETCH_BITS) % AMP_NEAR_STRETCHES], __ATOMIC_RELAXED);
    if (__builtin_expect(owner != (address & ~within), 0))
        return NULL;
    return &near->births[(address >> AMP_NEAR_GRANULE_BITS) % AMP_NEAR_GRANULES];
}

#endif
