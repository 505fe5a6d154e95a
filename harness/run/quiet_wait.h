/* SPDX-License-Identifier: MIT
 *
 * Before a child that is timed, wait until its core is quiet (sensor.h).
 *
 * Neighbours that stay for a second spoil whole launches, which no child can mend by measuring its blocks again. How
 * long a run may wait is a share of its own time: where something else always runs, it is done all the same, that much
 * later. */
#ifndef AMP_QUIET_WAIT_H
#define AMP_QUIET_WAIT_H

#include "harness/measure/rounds.h"

#include <stdbool.h>

struct amp_quiet_wait {
    amp_clock now;
    uint64_t quiet_ns; /* what the sensor reads on a quiet core */
    uint64_t begin_ns, waited_ns;
    double share; /* of the time that the run takes without waiting, and three seconds from the beginning; 0: neither */
};

void amp_quiet_wait_begin(struct amp_quiet_wait *patience, amp_clock now, uint64_t quiet_ns, double share);

/* Return when the core has been quiet for two milliseconds on end, or the patience is spent, or a signal has come. For
 * the core of this CPU, or of each one in turn that is allowed (-1). It computes all the while, lest a clock that falls
 * when idle be taken for a neighbour. The calling process is on that CPU meanwhile, and afterwards where it was. */
void amp_quiet_wait_core(struct amp_quiet_wait *patience, int cpu);

/* Whether there is patience for doing again what took so long; then it is used up by that. */
bool amp_quiet_wait_use(struct amp_quiet_wait *patience, double seconds);

#endif
