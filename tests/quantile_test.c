/* SPDX-License-Identifier: MIT
 *
 * Quantiles of grouped values. Oracles: Python's statistics.median_grouped(values, interval), whose results stand in
 * the rows; and durations that we choose, as a clock of coarse steps reads them. */
#include "harness/quantile.h"

#include "harness/rounds.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *name;
    uint64_t values[8], n;
    unsigned of_1000;
    double want;
} rows[] = {
    { "one", { 20 }, 1, 500, 20 },
    { "all alike", { 20, 20, 20, 20 }, 4, 990, 20 },
    { "median_grouped([20, 20, 20, 30], 10)", { 20, 20, 20, 30 }, 4, 500, 15 + 10 * 2 / 3.0 },
    { "median_grouped([20, 30, 30, 30, 40], 10)", { 20, 30, 30, 30, 40 }, 5, 500, 30 },
    { "median_grouped([20, 20, 30, 30, 30, 40], 10)", { 20, 20, 30, 30, 30, 40 }, 6, 500, 25 + 10 / 3.0 },
    { "at a border", { 20, 20, 30, 30 }, 4, 500, 25 },
    { "steps that differ", { 10, 30, 30, 80 }, 4, 500, 20 + 35 / 2.0 },
    { "all differ: the nearest rank, within half a gap", { 10, 20, 30, 40, 50, 60, 70, 80 }, 8, 625, 55 },
    { "the last ones: none beyond the greatest", { 10, 20, 30, 90 }, 4, 1000, 90 },
    { "no time is less than none", { 1, 1, 1, 90 }, 4, 250, 45.5 / 3 },
    { "the least", { 20, 20, 30, 40 }, 4, 0, 15 },
};

static void test_rows(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        double got = amp_quantile_grouped(rows[i].values, rows[i].n, rows[i].of_1000);

        if (fabs(got - rows[i].want) > 1e-9)
            fail_msg("%s: %g in place of %g", rows[i].name, got, rows[i].want);
    }
}

/* A duration between two readings of a clock that steps by 10 ns, at 1,000 phases: the median moves with it, where the
 * nearest rank says 20 to all below 25 and 30 to all above. */
static void test_a_coarse_clock(void **state)
{
    enum { PHASES = 1000, STEP = 10 };
    double last = 0;

    (void) state;
    for (double true_ns = 20; true_ns <= 30; true_ns += 0.5) {
        uint64_t read_ns[PHASES];
        double median;

        for (int i = 0; i < PHASES; i++) {
            double phase = STEP * (i + 0.5) / PHASES;

            read_ns[i] = (uint64_t) (floor((phase + true_ns) / STEP) * STEP);
        }
        qsort(read_ns, PHASES, sizeof *read_ns, amp_compare_ns);
        median = amp_quantile_grouped(read_ns, PHASES, 500);
        if (fabs(median - true_ns) > 1 || median < last + 0.2)
            fail_msg("%g ns: %g, after %g", true_ns, median, last);
        last = median;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_a_coarse_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
