/* SPDX-License-Identifier: MIT
 *
 * A workload that replays a trace (harness/trace/trace.h): the same sizes, lifetimes, threads and order, with memory
 * touched as it was.
 *
 *     recorded    thread 1  malloc malloc              free        thread 2  realloc free
 *     replayed    thread 0  malloc malloc  |           free        one after the other: the order is the recording's
 *                 thread 1                 | realloc free
 *
 * A chunk is the whole trace, or several times that; what the program never freed is freed at the end of each. Threads
 * pass the turn on by a number in memory, so what they did at the same time is done in turns, and no lock is fought for
 * as it was. Live bytes are held to the recording's: a process where they differ ends with AMP_EXIT_DISAGREE. */
#ifndef AMP_REPLAY_H
#define AMP_REPLAY_H

#include "harness/trace/trace.h"
#include "harness/workload.h"

#include <limits.h>

#define AMP_WORKLOAD_TRACE "trace_" /* before a trace's name */

struct amp_replay {
    struct amp_workload workload;
    uint64_t cycle_ops; /* of each thread, from the trace's first call to its last */
    char name[64], purpose[160], path[PATH_MAX];
};

/* From a trace's head: its name, from the file's, threads and operations. 0, or a negative errno with *why. */
int amp_replay_describe(const char *path, struct amp_replay *out, const char **why);

/* Read the whole trace, and make *out ready to be run. One at a time. */
int amp_replay_load(const char *path, struct amp_replay *out, const char **why);

/* Resident memory of this process at its highest in the first cycle that it ran. */
uint64_t amp_replay_peak_rss_b(void);

#endif
