/* SPDX-License-Identifier: MIT */
#include "harness/quantile.h"

#include <math.h>

double amp_quantile_grouped(const uint64_t *sorted, uint64_t n, unsigned of_1000)
{
    uint64_t rank = (n * of_1000 + 999) / 1000, first, end;
    double value, low, high, share;

    rank = rank > 0 ? rank - 1 : 0; /* the nearest one, whose group it is */
    value = (double) sorted[rank];
    for (first = rank; first > 0 && sorted[first - 1] == sorted[rank];)
        first--;
    for (end = rank + 1; end < n && sorted[end] == sorted[rank];)
        end++;
    high = end < n ? (value + (double) sorted[end]) / 2 : value;
    low = first > 0 ? (value + (double) sorted[first - 1]) / 2 : fmax(2 * value - high, 0);
    high = end < n ? high : 2 * value - low; /* as far as below */
    share = ((double) n * of_1000 / 1000 - (double) first) / (double) (end - first);
    return fmin(low + share * (high - low), (double) sorted[n - 1]);
}
