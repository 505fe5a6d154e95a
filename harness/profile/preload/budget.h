/* SPDX-License-Identifier: MIT
 *
 * What one thread has allocated since its budget began. */
#ifndef AMP_PROFILE_BUDGET_H
#define AMP_PROFILE_BUDGET_H

#include "harness/profile/record/sites.h"

struct amp_budget_state;

void amp_budget_count(struct amp_budget_state *state, const struct amp_profile_site *site, uint64_t size_b);

#endif
