/* SPDX-License-Identifier: MIT
 *
 * The time line as a page that any browser shows: plots/timeline made the page, the data are filled in here. */
#ifndef AMP_TIMELINE_PAGE_H
#define AMP_TIMELINE_PAGE_H

#include "harness/timeline/write/totals.h"

/* pattern  the file of the page without data
 * title    what was traced
 * most     how many events the page holds
 * Returns 0 or a negative errno; the file appears whole or not at all. Of more events than that, it has the
 * last ones and the long slices of the time before, and says so. */
int amp_page_save(struct amp_recording *recording, const struct amp_totals *totals, uint64_t most, const char *pattern,
                  const char *title, const char *path);

#endif
