/* SPDX-License-Identifier: MIT
 *
 * A launch of a matrix again, where something else ran on its core (sensor.h) while it did. */
#ifndef AMP_MATRIX_QUIET_H
#define AMP_MATRIX_QUIET_H

#include "harness/run/process.h"
#include "harness/run/quiet_wait.h"

#include <jansson.h>

/* Whether too little of a launch's result was measured on a quiet core: as is_disturbed() in
 * plots/judge/allocator_metrics.py. */
bool amp_matrix_is_disturbed(const json_t *result);

/* One child, which writes its result into the file: 0 or -errno, and how it ended. */
typedef int (*amp_matrix_attempt)(void *context, const char *file, struct amp_outcome *outcome);

/* Wait for a quiet core (cpu as in amp_quiet_wait_core()), then a child; and another in place of one that was disturbed,
 * four in all, as long as there is patience. What the last one returned, wrote, and ended with. */
int amp_matrix_quietly(struct amp_quiet_wait *patience, int cpu, amp_matrix_attempt attempt, void *context,
                       const char *file, struct amp_outcome *outcome);

#endif
