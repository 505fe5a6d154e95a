/* SPDX-License-Identifier: MIT
 *
 * What traced processes left in a folder: their rings (preload/ring.h). They may still be running. */
#ifndef AMP_TIMELINE_RECORDING_H
#define AMP_TIMELINE_RECORDING_H

#include "harness/timeline/preload/ring.h"

#include <stdbool.h>
#include <stddef.h>

/* A process, or what it was before or after exec. */
struct amp_recorded {
    struct amp_ring_head *head;
    uint64_t size_b;
    double ns_per_tick;
    const char **names; /* [number - 1] */
    uint32_t n_names;
    char file[32];
};

struct amp_stacks;

struct amp_recording {
    struct amp_recorded *processes; /* in the order in which they began */
    size_t n;
    uint64_t damaged;          /* events that make no sense, left out */
    size_t n_refused;          /* files that were left out, each of which said why */
    bool is_running;           /* its processes have not ended yet */
    struct amp_stacks *stacks; /* of stacks.h; the reader's; NULL: none */
    uint64_t begin_ns, end_ns; /* by CLOCK_MONOTONIC, of the first and the last event; filled by amp_lanes_measure() */
};

/* The processes' clocks, read at this moment: that makes their times exact to the end. Call it while the folder's
 * processes are of this boot of the machine. */
void amp_recording_seal(const char *folder);

/* Files that cannot be read are left out, which is said. 0, or a negative errno: -ENODATA if there is none. */
int amp_recording_open(const char *folder, struct amp_recording *out);
void amp_recording_close(struct amp_recording *recording);

static inline struct amp_ring_chunk *amp_recorded_chunk(const struct amp_recorded *process, uint64_t i)
{
    return (struct amp_ring_chunk *) ((char *) process->head + AMP_RING_HEAD_B + AMP_RING_NAMES_B +
                                      i * AMP_RING_CHUNK_B);
}

uint64_t amp_recorded_ns(const struct amp_recorded *process, uint64_t ticks);

/* A name that is not known is "?". */
const char *amp_recorded_name(const struct amp_recorded *process, uint32_t number);

#endif
