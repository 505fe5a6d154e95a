/* SPDX-License-Identifier: MIT
 *
 * The stacks that allocated, each with its counts. */
#ifndef AMP_PROFILE_SITES_H
#define AMP_PROFILE_SITES_H

#include "harness/profile/record/record.h"
#include "harness/profile/unwind/stack.h"

#include <stdbool.h>
#include <stddef.h>

/* The site of an allocation of that size with that stack, made if it is new. NULL: there is no room for another. */
struct amp_profile_site *amp_site_of(const struct amp_stack *stack, size_t size_b);

/* A library was unloaded: another may come to lie where it was. */
void amp_sites_forget(void);

#endif
