/* SPDX-License-Identifier: MIT
 *
 * The stacks that allocated, each with its counts. */
#ifndef AMP_PROFILE_SITES_H
#define AMP_PROFILE_SITES_H

#include "harness/profile/unwind/stack.h"

#include <stdbool.h>
#include <stddef.h>

struct amp_site {
    struct amp_profile_counts *counts;
    uint32_t frame; /* which function of the stack allocated: the first outside the C and C++ libraries */
};

/* The site of an allocation of that size with that stack, made if it is new. If there is no room for another, all
 * allocations beyond count together. */
struct amp_site amp_site_of(struct amp_stack *stack, size_t size_b);

/* Its stack again; NULL for the one of all that found no room. */
const struct amp_profile_site *amp_site_record(const struct amp_profile_counts *counts);

/* A library was unloaded: another may come to lie where it was. */
void amp_sites_forget(void);

#endif
