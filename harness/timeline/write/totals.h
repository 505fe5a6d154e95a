/* SPDX-License-Identifier: MIT
 *
 * What a time line adds up to: by name, and its longest slices. */
#ifndef AMP_TIMELINE_TOTALS_H
#define AMP_TIMELINE_TOTALS_H

#include "harness/timeline/write/lanes.h"

#define AMP_TOTALS_LONGEST 40
#define AMP_TOTALS_TIMES 4096 /* parts of the time line */

struct amp_total {
    const char *name; /* the recording's, or `made` */
    char *made;
    bool is_slice; /* else a moment */
    uint64_t n, ns, longest_ns;
};

struct amp_longest {
    struct amp_lane lane;
    struct amp_slice slice;
};

struct amp_totals {
    struct amp_total *list; /* the longest total first, then moments, the most frequent first */
    size_t n;
    struct amp_longest longest[AMP_TOTALS_LONGEST]; /* in their order */
    size_t n_longest;
    uint64_t ends[AMP_TOTALS_TIMES]; /* events that ended in each part */
    struct amp_lanes_facts facts;
};

/* 0 or a negative errno. Names are the recording's. */
int amp_totals_make(struct amp_recording *recording, struct amp_totals *out);
void amp_totals_free(struct amp_totals *totals);

#endif
