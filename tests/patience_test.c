/* SPDX-License-Identifier: MIT
 *
 * Waiting for a quiet core ends: where it is quiet at once, where it never is when the patience is spent. */
#include "harness/patience.h"

#include "harness/rounds.h"

/* clang-format off: cmocka.h wants the two before it */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

#include <sched.h>

#define ALWAYS_NS 1000000000u /* no reading is longer */
#define NEVER_NS 1u

static void test_a_quiet_core_is_not_waited_for(void **state)
{
    struct amp_patience patience;

    (void) state;
    amp_patience_begin(&patience, ALWAYS_NS);
    amp_patience_wait(&patience, -1);
    assert_in_range(patience.waited_ns, 0, 1000000000); /* two pauses of a millisecond, however late they end */
}

/* As if the run had waited for all of its ten seconds so far: a fifth of a second is left. */
static void test_patience_ends(void **state)
{
    struct amp_patience patience;
    uint64_t before_ns = 9800000000u;

    (void) state;
    amp_patience_begin(&patience, NEVER_NS);
    patience.waited_ns = before_ns;
    patience.begin_ns -= before_ns;
    amp_patience_wait(&patience, -1);
    assert_true(patience.waited_ns > 10000000000u);
    assert_in_range(patience.waited_ns - before_ns, 200000000, 5000000000);
    before_ns = patience.waited_ns;
    amp_patience_wait(&patience, -1);
    assert_in_range(patience.waited_ns - before_ns, 0, 1000000000); /* it has grown by a quarter of what passed */
}

static void test_the_process_stays_where_it_was_allowed(void **state)
{
    cpu_set_t before, after;
    struct amp_patience patience;

    (void) state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    amp_patience_begin(&patience, ALWAYS_NS);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t) cpu, &before))
            amp_patience_wait(&patience, cpu);
    amp_patience_wait(&patience, CPU_SETSIZE - 1); /* one that hardly any machine has: then where we are */
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_quiet_core_is_not_waited_for),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_the_process_stays_where_it_was_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
