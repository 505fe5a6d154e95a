/* SPDX-License-Identifier: MIT
 *
 * Sides of rows, for the allocation profile: the process that `ampersand profile ROW` runs, and the one for all rows of
 * a run. Functions return an exit status: 2, after they have said why. */
#ifndef AMP_PROFILED_H
#define AMP_PROFILED_H

#include "harness/lesson/pair.h"

#define AMP_PROFILED_OPS 100

/* Do so many operations of a side; `task` is "value/" or "pointer/" and the row's name. Only these operations are
 * recorded, not the fixture. 2: there is no such row, or the process does not run under the profiler. */
int amp_profiled_run(const struct amp_registry *registry, const char *task);

/* The same for both sides of each row that `file` names, a line each, every side in a process of its own. Prints a line
 * for each: the process, the side, the row, and after that why it was not done, if so. */
int amp_profiled_rows(const struct amp_registry *registry, const char *file);

#endif
