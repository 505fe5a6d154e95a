/* SPDX-License-Identifier: MIT
 *
 * What the profiled processes have recorded: their allocations, or ticks of the CPU-time clock. */
#ifndef AMP_PROFILE_RECORDED_H
#define AMP_PROFILE_RECORDED_H

#include "harness/profile/samples/profile.h"

enum amp_recorded {
    AMP_RECORDED_ALLOCATIONS,
    AMP_RECORDED_TICKS /* counts.allocs are these, counts.bytes the nanoseconds that they stand for */
};

/* Read what they have left in a folder up to now; they may still be running. 0, or a negative errno; a process that has
 * counted nothing yet is left out. The caller frees it with amp_profile_free(). */
int amp_recorded_read(const char *folder, enum amp_recorded kind, struct amp_profile *out);

/* Processes whose counts are to be kept apart. */
struct amp_recorded_owners {
    const int32_t *pids;
    bool *are_found; /* written: whether each has left counts */
    size_t n;
};

/* The same of these processes alone. The outermost place of a sample's stack then stands for its process: it has no
 * mapping, and the index of the process as its address. */
int amp_recorded_read_of(const char *folder, enum amp_recorded kind, const struct amp_recorded_owners *owners,
                         struct amp_profile *out);

#endif
