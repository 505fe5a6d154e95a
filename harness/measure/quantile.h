/* SPDX-License-Identifier: MIT
 *
 * Quantiles of times that a clock of coarse steps took.
 *
 *     true    22 ns     22 ns     22 ns     22 ns         of one and the same duration, some readings are 20 and some 30,
 *     read    20        30        20        20            in such shares that their mean is right
 *
 * The nearest rank jumps by a whole step where the truth moves by a hair. So a reading stands for all times within half a
 * step of the clock, less where another reading is nearer, and those that read alike lie evenly in that range: where all
 * readings are a step apart it is Python's statistics.median_grouped(), for any quantile. */
#ifndef AMP_QUANTILE_H
#define AMP_QUANTILE_H

#include "harness/measure/rounds.h"

/* What a clock goes on by: the widest gap between the readings of short times of all lengths, without the rare ones.
 * 0 where all but one in twenty read the same: such a clock's quantiles are nearest ranks. */
uint64_t amp_quantile_step_ns(amp_clock now);

/* Of n > 0 ascending readings: the time below which so many of a thousand lie. At most half a step from the nearest rank,
 * and not above the greatest. */
double amp_quantile_grouped(const uint64_t *sorted_ns, uint64_t n, unsigned of_1000, uint64_t step_ns);

#endif
