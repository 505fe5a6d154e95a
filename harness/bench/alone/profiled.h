/* SPDX-License-Identifier: MIT
 *
 * One side of a row, for the allocation profile: the process that `ampersand profile ROW` runs. */
#ifndef AMP_PROFILED_H
#define AMP_PROFILED_H

#include "harness/lesson/pair.h"

#define AMP_PROFILED_OPS 100

/* Do so many operations of a side; `task` is "value/" or "pointer/" and the row's name. Only these operations are
 * recorded, not the fixture. Returns an exit status: 2, after it has said why, if there is no such row, or if the
 * process does not run under the profiler. */
int amp_profiled_run(const struct amp_registry *registry, const char *task);

#endif
