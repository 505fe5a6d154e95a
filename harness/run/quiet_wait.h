/* SPDX-License-Identifier: MIT
 *
 * Wait until the core is quiet (sensor.h) before a child is timed.
 *
 * A neighbour that computes for a second spoils a whole launch, and its child cannot repair that by measuring blocks
 * again. A run may wait for a share of its own time. So it ends even if something else always runs, only that much
 * later. */
#ifndef AMP_QUIET_WAIT_H
#define AMP_QUIET_WAIT_H

#include "harness/measure/rounds.h"

#include <stdbool.h>

struct amp_quiet_wait {
    amp_clock now;
    uint64_t quiet_ns; /* the sensor's reading on a quiet core */
    uint64_t begin_ns, waited_ns;
    double share; /* it may wait for this share of the run's own time, plus three seconds; 0: not at all */
};

void amp_quiet_wait_begin(struct amp_quiet_wait *wait, amp_clock now, uint64_t quiet_ns, double share);

/* Wait until the core of this CPU (-1: of each allowed CPU, one after the other) has been quiet for two milliseconds
 * without a break, or the time for waiting is used up, or a signal comes. It computes while it waits: an idle CPU may
 * clock down, which would look like a neighbour. The calling process moves to that CPU, and back afterwards. */
void amp_quiet_wait_core(struct amp_quiet_wait *wait, int cpu);

/* True if the run may still spend `seconds` on repeating; takes them off what is left. */
bool amp_quiet_wait_use(struct amp_quiet_wait *wait, double seconds);

#endif
