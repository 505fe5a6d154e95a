/* SPDX-License-Identifier: MIT
 *
 * What objects have in common that were allocated by the same stack at the same place in memory, with the same size: so
 * that a number is all that has to be kept of a live object. */
#ifndef AMP_PROFILE_BIRTHS_H
#define AMP_PROFILE_BIRTHS_H

#include "harness/profile/record/sites.h"

#define AMP_BIRTH_BITS 25 /* of a number */

/* Where a function finds its return address: the lower bits of the place, in words, and of what stood there. */
struct amp_birth_place {
    uint32_t packed, lower; /* packed 0: nobody knows */
};

struct amp_birth {
    struct amp_profile_site *site; /* NULL: there was no room for it */
    uint64_t size_b;               /* as asked */
    struct amp_birth_place frame, caller; /* of the function that allocated, and of its caller */
    uint32_t number;                      /* from 1 on */
    uint32_t weight; /* how many such objects one stands for: 1, unless they are sampled */
};

/* Made if it is new. NULL: no memory. */
const struct amp_birth *amp_birth_of(const struct amp_stack *stack, size_t size_b, uint32_t weight);

/* By its number. */
const struct amp_birth *amp_birth_at(uint32_t number);

#endif
