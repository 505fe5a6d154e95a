/* SPDX-License-Identifier: MIT
 *
 * Quantiles of times that were read from a clock with coarse steps.
 *
 *     true    22 ns     22 ns     22 ns     22 ns         a duration of 22 ns reads as 20 or as 30,
 *     read    20        30        20        20            in such shares that the mean is right
 *
 * An ordinary quantile would jump by a whole step when the true time changes a little. So each reading is taken for a
 * range: half a step of the clock to both sides, or half-way to the next reading if that is nearer. Equal readings are
 * spread evenly over their range. If all readings are a step apart, this is Python's statistics.median_grouped(), for
 * any quantile. */
#ifndef AMP_QUANTILE_H
#define AMP_QUANTILE_H

#include "harness/measure/rounds.h"

/* The step of a clock: the widest gap between the readings of short times of all lengths; rare readings do not count.
 * 0 if 19 of 20 read the same: then quantiles are ordinary ones (nearest rank). */
uint64_t amp_quantile_step_ns(amp_clock now);

/* The time below which `of_1000` of a thousand readings lie; n > 0, ascending. At most half a step from the nearest
 * rank, and not above the greatest reading. */
double amp_quantile_grouped(const uint64_t *sorted_ns, uint64_t n, unsigned of_1000, uint64_t step_ns);

#endif
