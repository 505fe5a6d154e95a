/* SPDX-License-Identifier: MIT
 *
 * Quantiles of grouped readings. Oracles: Python's statistics.median_grouped(values, interval), whose results stand in
 * rows; and durations that we choose, as a clock of coarse steps reads them. */
#include "harness/measure/quantile.h"

#include "harness/measure/rounds.h"

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
    uint64_t step_ns;
    double want;
} rows[] = {
    { "one", { 20 }, 1, 500, 10, 20 },
    { "all alike", { 20, 20, 20, 20 }, 4, 500, 10, 20 },
    { "all alike: not above the greatest", { 20, 20, 20, 20 }, 4, 990, 10, 20 },
    { "median_grouped([20, 20, 20, 30], 10)", { 20, 20, 20, 30 }, 4, 500, 10, 15 + 10 * 2 / 3.0 },
    { "median_grouped([20, 30, 30, 30, 40], 10)", { 20, 30, 30, 30, 40 }, 5, 500, 10, 30 },
    { "median_grouped([20, 20, 30, 30, 30, 40], 10)", { 20, 20, 30, 30, 30, 40 }, 6, 500, 10, 25 + 10 / 3.0 },
    { "at a border", { 20, 20, 30, 30 }, 4, 500, 10, 25 },
    { "a gap wider than a step", { 20, 20, 20, 20, 20, 20, 20, 500 }, 8, 500, 10, 15 + 10 * 4 / 7.0 },
    { "beyond the gap", { 20, 500, 500, 500 }, 4, 500, 10, 495 + 10 / 3.0 },
    { "steps rounded to 40 and 41", { 30, 40, 40, 41, 41, 50, 50, 50 }, 8, 500, 10, 40.5 + (41 - 40.5 + 4.5) / 2 },
    { "a fine clock: the nearest rank", { 10, 20, 30, 40, 50, 60, 70, 80 }, 8, 625, 1, 50.5 },
    { "no step: the nearest rank", { 10, 20, 30, 40, 50, 60, 70, 80 }, 8, 625, 0, 50 },
    { "the greatest", { 10, 20, 30, 90 }, 4, 1000, 10, 90 },
    { "no time is less than none", { 1, 1, 1, 90 }, 4, 250, 10, 1 - 1 + (1 + 5) / 3.0 },
    { "the least", { 20, 20, 30, 40 }, 4, 0, 10, 15 },
};

static void test_rows(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        double got = amp_quantile_grouped(rows[i].values, rows[i].n, rows[i].of_1000, rows[i].step_ns);

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
        median = amp_quantile_grouped(read_ns, PHASES, 500, STEP);
        if (fabs(median - true_ns) > 1 || median < last + 0.2)
            fail_msg("%g ns: %g, after %g", true_ns, median, last);
        last = median;
    }
}

static struct {
    double ns, step_ns;
    unsigned calls;
} fake;

/* A call takes 23.1 to 33 ns, each 200th five microseconds, and the reading is rounded down to a step. */
static uint64_t fake_clock(void)
{
    fake.ns += ++fake.calls % 200 == 0 ? 5000 : 23.1 + fake.calls % 100 * 0.1;
    return (uint64_t) (floor(fake.ns / fake.step_ns) * fake.step_ns);
}

static const struct {
    const char *name;
    double step_ns;
    uint64_t least_ns, most_ns;
} clocks[] = {
    { "fine", 1, 1, 1 },
    { "coarse", 10, 10, 10 },
    { "coarse, and rounded to nanoseconds", 10.016, 9, 11 },
    { "of 24 MHz", 41.67, 41, 42 },
    { "so coarse that all but a few read the same", 1000, 0, 0 },
};

static void test_the_step_of_a_clock(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(clocks); i++) {
        uint64_t got;

        fake.ns = 0;
        fake.calls = 0;
        fake.step_ns = clocks[i].step_ns;
        got = amp_quantile_step_ns(fake_clock);
        if (got < clocks[i].least_ns || got > clocks[i].most_ns)
            fail_msg("%s: %llu ns", clocks[i].name, (unsigned long long) got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_a_coarse_clock),
        cmocka_unit_test(test_the_step_of_a_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
