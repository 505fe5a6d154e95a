/* SPDX-License-Identifier: MIT
 *
 * Before a child that is timed, wait until its core is quiet (sensor.h).
 *
 * Neighbours that stay for a second spoil whole launches, which no child can mend by measuring its blocks again. How
 * long a run may wait is a share of its own time: where something else always runs, it is done all the same, that much
 * later. */
#ifndef AMP_PATIENCE_H
#define AMP_PATIENCE_H

#include "harness/progress.h"
#include "harness/rounds.h"

#include <stdbool.h>

struct amp_patience {
    amp_clock now;
    uint64_t quiet_ns; /* what the sensor reads on a quiet core */
    uint64_t begin_ns, waited_ns;
    double share; /* of the time that the run takes without waiting, and three seconds from the beginning; 0: neither */
};

void amp_patience_begin(struct amp_patience *patience, amp_clock now, uint64_t quiet_ns, double share);

/* Return when the core has been quiet for two milliseconds on end, or the patience is spent, or a signal has come. For
 * the core of this CPU, or of each one in turn that is allowed (-1). It computes all the while, lest a clock that falls
 * when idle be taken for a neighbour. The calling process is on that CPU meanwhile, and afterwards where it was. */
void amp_patience_wait(struct amp_patience *patience, int cpu);

/* Whether there is patience for doing again what took so long; then it is used up by that. */
bool amp_patience_use(struct amp_patience *patience, double seconds);

/* Tell how long it was, if that was a second or more. */
void amp_patience_say(const struct amp_patience *patience, struct amp_progress *progress);

#endif
