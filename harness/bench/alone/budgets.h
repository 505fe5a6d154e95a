/* SPDX-License-Identifier: MIT
 *
 * Whether the sides of a row keep to their budgets. */
#ifndef AMP_BUDGETS_H
#define AMP_BUDGETS_H

#include "harness/lesson/pair.h"

#include <stdbool.h>

bool amp_budgets_any(const struct amp_pair *pair);

/* Run both sides in a process of its own, and print a line for each that has a budget. Returns an exit status: 0 kept,
 * 3 broken, 1 the row failed, which was said. */
int amp_budgets_check(const struct amp_row *row);

#endif
