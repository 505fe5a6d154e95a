/* SPDX-License-Identifier: MIT
 *
 * The report: what took how long, by name. */
#ifndef AMP_TIMELINE_SHOW_H
#define AMP_TIMELINE_SHOW_H

#include "harness/timeline/write/totals.h"

#include <stdio.h>

void amp_timeline_show_table(const struct amp_totals *totals, const char *title, FILE *out);
int amp_timeline_show_json(const struct amp_totals *totals, const char *title, FILE *out); /* or a negative errno */

#endif
