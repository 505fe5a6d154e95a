/* SPDX-License-Identifier: MIT
 *
 * Are the lessons still the ones that the run began with? A build removes a lesson's table first and writes it last
 * (make_layouts.py). So if the table is the same before and after a child, it did not change meanwhile, and its build
 * IDs identify the modules (layout.h). */
#ifndef AMP_BUILT_H
#define AMP_BUILT_H

#include "harness/lesson/rows.h"

#include <stdbool.h>

/* The CRC-32 of each row's table; the caller frees it. NULL if there is no memory or a table is missing. */
uint32_t *amp_built_note(const struct amp_rows *rows);

/* Whether the table of this row's lesson is still the noted one. */
bool amp_built_holds(const struct amp_row *row, uint32_t noted);

#endif
