/* SPDX-License-Identifier: MIT
 *
 * Lists of jobs: how many launches an interval needs, and that a shuffle loses none. */
#include "harness/run/job.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Against the chance that all launches lie on one side of the median, in doubles. */
static void test_launches_that_an_interval_needs(void **state)
{
    (void) state;
    for (size_t comparisons = 1; comparisons <= 5000; comparisons++) {
        size_t n = amp_jobs_needed(comparisons);

        assert_true(ldexp(2, -(int) n) <= 0.05 / (double) comparisons);
        assert_true(ldexp(2, -(int) (n - 1)) > 0.05 / (double) comparisons);
    }
}

static void test_a_shuffle_keeps_every_job(void **state)
{
    struct amp_jobs jobs = { .n = 0 };
    unsigned seen[200] = { 0 }, moved = 0;

    (void) state;
    for (unsigned i = 0; i < 200; i++)
        amp_jobs_add(&jobs)->launch = i;
    amp_jobs_shuffle(&jobs, 50, 7);
    for (unsigned i = 0; i < 200; i++) {
        seen[jobs.list[i].launch]++;
        moved += jobs.list[i].launch != i;
        assert_true(i >= 50 || jobs.list[i].launch == i);
    }
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(seen[i], 1);
    assert_in_range(moved, 140, 150);
    amp_jobs_free(&jobs);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_launches_that_an_interval_needs),
        cmocka_unit_test(test_a_shuffle_keeps_every_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
