/* SPDX-License-Identifier: MIT
 *
 * One allocation of many is recorded, and stands for the others, as in Go's heap profile: of all bytes that are asked
 * for, each is as likely to be drawn, and an allocation is recorded if one of its bytes is. So one of s bytes is with the
 * probability p = 1 - e^(-s/R), where R is the mean distance between two that are drawn, and counts for 1/p. Sums are
 * right on average then, for any sizes and in any order. By chance 1/p is rounded up or down: counts are whole numbers.
 *
 * An allocation of 0 bytes counts as one of 1, and even sizes as one more: none is without a chance. */
#ifndef AMP_PROFILE_SAMPLING_H
#define AMP_PROFILE_SAMPLING_H

#include "harness/profile/unwind/thread.h"

#define AMP_MARK_BITS 13

static inline uint64_t amp_sampling_charge(size_t size_b)
{
    return size_b | 1;
}

/* Whether an allocation is passed over. A signal handler may allocate between load and store: a distance is lost then,
 * but never becomes a negative one. */
static inline bool amp_sampling_passes(size_t size_b)
{
    const uint64_t charge_b = amp_sampling_charge(size_b);
    const uint64_t left_b = __atomic_load_n(&amp_thread.passing_b, __ATOMIC_RELAXED);

    if (charge_b >= left_b)
        return false;
    __atomic_store_n(&amp_thread.passing_b, left_b - charge_b, __ATOMIC_RELAXED);
    return true;
}

static inline size_t amp_sampling_mark_of(const void *address)
{
    return ((uintptr_t) address >> 4) * 0x9e3779b97f4a7c15u >> (64 - AMP_MARK_BITS);
}

/* False: this object was not recorded. */
static inline bool amp_sampling_may_know(const void *address)
{
    const uint16_t *marks = amp_thread.marks;

    return !marks || __atomic_load_n(&marks[amp_sampling_mark_of(address)], __ATOMIC_RELAXED);
}

/* For how many allocations of that size this one stands; 0: it is passed over. 1 where each is recorded. */
uint32_t amp_sampling_weight(size_t size_b);

/* An object that is recorded begins (by 1) or ends (by -1). */
void amp_sampling_mark(const void *address, int by);

#endif
