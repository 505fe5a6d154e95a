/* SPDX-License-Identifier: MIT
 *
 * From events to what a time line shows: a lane for each thread, with slices, moments and counters. */
#ifndef AMP_TIMELINE_LANES_H
#define AMP_TIMELINE_LANES_H

#include "harness/timeline/write/recording.h"

struct amp_lane {
    unsigned process; /* in the recording */
    uint32_t number;  /* of the thread in the process, from 1 */
    int32_t pid, tid;
    const char *program; /* its path */
    char name[16];       /* the thread's */
};

enum { AMP_SLICE_NO_BEGIN = 1, AMP_SLICE_NO_END = 2 };

struct amp_slice {
    const char *name;
    uint64_t begin_ns, ns; /* since the time line's begin */
    unsigned depth;
    unsigned missing; /* its begin was overwritten, or is before the window; its end never came */
};

/* What is made of it. Within a lane, slices come in the order of their ends, moments as they happened. Times count from
 * the time line's begin. A function that returns an error, negative, ends it. */
struct amp_lanes_sink {
    void *context;
    int (*lane)(void *context, const struct amp_lane *lane);
    int (*slice)(void *context, const struct amp_lane *lane, const struct amp_slice *slice);
    int (*moment)(void *context, const struct amp_lane *lane, const char *name, uint64_t at_ns, uint64_t value);
    int (*count)(void *context, const struct amp_lane *lane, const char *name, uint64_t at_ns, uint64_t value);
};

struct amp_lanes_facts {
    uint64_t events, slices, moments, counts;
    uint64_t before; /* events that ended before the window */
    uint64_t no_begin, no_end;
    uint64_t stray; /* ends of what never began */
    size_t lanes, processes;
    uint64_t overwritten, lost, damaged;
    uint64_t ns; /* of the time line */
};

/* Find the first and the last event, and the last `window_ns` of that (0: all). */
void amp_lanes_measure(struct amp_recording *recording, uint64_t window_ns);

/* Returns 0, the sink's error, or -ENOMEM. */
int amp_lanes_make(struct amp_recording *recording, const struct amp_lanes_sink *sink, struct amp_lanes_facts *out);

#endif
