/* SPDX-License-Identifier: MIT
 *
 * Whether the lessons that a run measures are still those that it began with. A build replaces a lesson's table last, and
 * takes it away first (make_layouts.py): so a table that is the same before and after a child was there all the while,
 * and its build IDs hold the modules (layout.h). */
#ifndef AMP_BUILT_H
#define AMP_BUILT_H

#include "harness/bench/plan.h"

/* The CRC-32 of the table of each row's lesson, to be freed; NULL without memory or without a table. */
uint32_t *amp_built_note(const struct amp_rows *rows);

/* Whether the table of this row's lesson is the noted one. */
bool amp_built_holds(const struct amp_row *row, uint32_t noted);

#endif
