/* SPDX-License-Identifier: MIT */
#ifndef AMP_BESIDE_H
#define AMP_BESIDE_H

#include "harness/run/job.h"

/* Run jobs at the same time, as many as fit into half of the free memory; a process of its own watches each. out[i] is
 * the outcome of job i, AMP_INTERRUPTED if it was not begun. 0 or a negative errno. */
int amp_beside_run(struct amp_job *const *jobs, size_t n, struct amp_outcome *out);

#endif
