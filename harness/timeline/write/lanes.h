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

/* A moment, or what is counted from then on. */
struct amp_moment {
    const char *name;
    uint64_t at_ns, value;
    const char *from; /* the calls that led there, a line each, the innermost first; NULL: not known */
};

/* What is made of it; NULL: nothing. Within a lane all comes in the order of its times. Times count from the time
 * line's begin. A function that returns an error, negative, ends it. */
struct amp_lanes_sink {
    void *context;
    int (*lane)(void *context, const struct amp_lane *lane);
    int (*begin)(void *context, const struct amp_lane *lane, const struct amp_slice *slice); /* how it ends is open */
    int (*slice)(void *context, const struct amp_lane *lane, const struct amp_slice *slice); /* it ends */
    int (*moment)(void *context, const struct amp_lane *lane, const struct amp_moment *moment);
    int (*count)(void *context, const struct amp_lane *lane, const struct amp_moment *moment);
};

struct amp_lanes_facts {
    uint64_t events, slices, moments, counts;
    uint64_t before, after; /* events that ended before the window, or came after it */
    uint64_t no_begin, no_end;
    uint64_t stray; /* ends of what never began */
    size_t lanes, processes;
    uint64_t overwritten, lost, damaged;
    uint64_t ns; /* of the time line */
};

/* Find the first and the last event, and of that the last `window_ns` (0: all), or what lies between two times since
 * the first event (to_ns 0: all). */
void amp_lanes_measure(struct amp_recording *recording, uint64_t window_ns, uint64_t since_ns, uint64_t to_ns);

/* Returns 0, the sink's error, or -ENOMEM. */
int amp_lanes_make(struct amp_recording *recording, const struct amp_lanes_sink *sink, struct amp_lanes_facts *out);

#endif
