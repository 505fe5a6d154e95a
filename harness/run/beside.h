/* SPDX-License-Identifier: MIT */
#ifndef AMP_BESIDE_H
#define AMP_BESIDE_H

#include "harness/run/job.h"

/* Run jobs beside each other, as many at once as half of the free memory takes: each is watched by a process of its own.
 * out[i] says what became of job i; AMP_INTERRUPTED for those that were not begun. 0 or a negative errno. */
int amp_beside_run(struct amp_job *const *jobs, size_t n, struct amp_outcome *out);

#endif
