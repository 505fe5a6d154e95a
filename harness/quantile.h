/* SPDX-License-Identifier: MIT
 *
 * Quantiles of times that a clock of coarse steps took.
 *
 *     true    22 ns     22 ns     22 ns     22 ns         of one and the same duration, some readings are 20 and some 30,
 *     read    20        30        20        20            in such shares that their mean is right
 *
 * The nearest rank jumps by a whole step where the truth moves by a hair. So a value stands for all between the middles
 * to its neighbours, and within that range its readings lie evenly: the median of grouped data, as in Python's
 * statistics.median_grouped(), for any quantile. Where no two readings are alike it is the nearest rank but for that
 * half of a gap. */
#ifndef AMP_QUANTILE_H
#define AMP_QUANTILE_H

#include <stdint.h>

/* Of n > 0 ascending values: what so many of a thousand lie below. In the values' unit; not above the
 * greatest, and by half a step below the least at most. */
double amp_quantile_grouped(const uint64_t *sorted, uint64_t n, unsigned of_1000);

#endif
