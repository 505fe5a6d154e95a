/* SPDX-License-Identifier: MIT */
#include "harness/measure/quantile.h"

#include "harness/kernel.h"

#include <math.h>
#include <stdlib.h>

enum { READS = 2000, LENGTHS = 50, RARE = READS / 20 };

uint64_t amp_quantile_step_ns(amp_clock now)
{
    uint64_t ns[READS], step_ns = 0;

    for (unsigned i = 0; i < READS; i++) {
        uint64_t begin_ns = now();

        for (unsigned k = 0; k < i % LENGTHS; k++)
            amp_keep(&k); /* each of another length, or all might read the same by chance */
        ns[i] = now() - begin_ns;
    }
    qsort(ns, READS, sizeof ns[0], amp_compare_ns);
    for (unsigned i = RARE; i + 1 < READS - RARE; i++)
        if (ns[i + 1] - ns[i] > step_ns)
            step_ns = ns[i + 1] - ns[i];
    return step_ns;
}

double amp_quantile_grouped(const uint64_t *sorted_ns, uint64_t n, unsigned of_1000, uint64_t step_ns)
{
    uint64_t rank = (n * of_1000 + 999) / 1000, first, end;
    double value, below = (double) step_ns, above = below, share;

    rank = rank > 0 ? rank - 1 : 0; /* the nearest one */
    value = (double) sorted_ns[rank];
    for (first = rank; first > 0 && sorted_ns[first - 1] == sorted_ns[rank];)
        first--;
    for (end = rank + 1; end < n && sorted_ns[end] == sorted_ns[rank];)
        end++;
    if (first > 0)
        below = fmin(below, value - (double) sorted_ns[first - 1]);
    if (end < n)
        above = fmin(above, (double) sorted_ns[end] - value);
    share = ((double) n * of_1000 / 1000 - (double) first) / (double) (end - first);
    below = fmin(below, 2 * value); /* no time is below zero */
    return fmin(value - below / 2 + share * (below + above) / 2, (double) sorted_ns[n - 1]);
}
