/* SPDX-License-Identifier: MIT
 *
 * Waiting for a quiet core, on a clock of our own: every call of it takes one loop of the sensor, which is longer in
 * stretches that we say. */
#include "harness/run/quiet_wait.h"

#include "harness/measure/rounds.h"

/* clang-format off: cmocka.h wants the two before it */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

#include <sched.h>

#define MS 1000000ull
#define QUIET_NS 990
#define BUSY_NS 1900

static struct {
    uint64_t now_ns;
    struct {
        uint64_t from_ns, to_ns;
    } busy[2];
} fake;

static uint64_t fake_clock(void)
{
    uint64_t step_ns = QUIET_NS;

    for (int i = 0; i < 2; i++)
        if (fake.now_ns >= fake.busy[i].from_ns && fake.now_ns < fake.busy[i].to_ns)
            step_ns = BUSY_NS;
    return fake.now_ns += step_ns;
}

static void test_waiting_ends_two_quiet_milliseconds_after_the_last_neighbour(void **state)
{
    static const struct {
        const char *name;
        uint64_t from_ns[2], to_ns[2], want_ns;
    } rows[] = {
        { "quiet from the beginning", { 0, 0 }, { 0, 0 }, 2 * MS },
        { "busy for 5 ms", { 0, 0 }, { 5 * MS, 0 }, 7 * MS },
        { "busy once more a millisecond later", { 0, 6 * MS }, { 5 * MS, 6 * MS + 30000 }, 8 * MS + 30000 },
        { "the second comes too late to be met", { 0, 7 * MS + 200000 }, { 5 * MS, 9 * MS }, 7 * MS },
        { "busy for 2 s", { 0, 0 }, { 2000 * MS, 0 }, 2002 * MS },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_quiet_wait wait;

        fake.now_ns = 0;
        for (int k = 0; k < 2; k++) {
            fake.busy[k].from_ns = rows[i].from_ns[k];
            fake.busy[k].to_ns = rows[i].to_ns[k];
        }
        print_message("  %s\n", rows[i].name);
        amp_quiet_wait_begin(&wait, fake_clock, QUIET_NS, 0.1);
        amp_quiet_wait_core(&wait, sched_getcpu());
        assert_in_range(wait.waited_ns, rows[i].want_ns - 60000, rows[i].want_ns + 60000); /* two readings */
    }
}

static void test_the_wait_is_three_seconds_and_a_tenth_of_what_was_measured(void **state)
{
    struct amp_quiet_wait wait;

    (void) state;
    fake.now_ns = 0;
    fake.busy[0].from_ns = 0;
    fake.busy[0].to_ns = UINT64_MAX;
    amp_quiet_wait_begin(&wait, fake_clock, QUIET_NS, 0.1);
    amp_quiet_wait_core(&wait, sched_getcpu());
    assert_in_range(wait.waited_ns, 3000 * MS, 3001 * MS);
    amp_quiet_wait_core(&wait, sched_getcpu());
    assert_in_range(wait.waited_ns, 3000 * MS, 3002 * MS); /* spent: it goes on at once */
    fake.now_ns += 10000 * MS;
    amp_quiet_wait_core(&wait, sched_getcpu());
    assert_in_range(wait.waited_ns, 4000 * MS, 4002 * MS);
}

static void test_no_wait_at_all(void **state)
{
    struct amp_quiet_wait wait;

    (void) state;
    fake.now_ns = 0;
    fake.busy[0].from_ns = 0;
    fake.busy[0].to_ns = 1000 * MS;
    amp_quiet_wait_begin(&wait, fake_clock, QUIET_NS, 0);
    amp_quiet_wait_core(&wait, sched_getcpu());
    amp_quiet_wait_core(&wait, -1);
    assert_int_equal(wait.waited_ns, 0);
    fake.now_ns += 20000 * MS;
    assert_false(amp_quiet_wait_use(&wait, 0.001));
}

static void test_measuring_again_takes_time_for_waiting(void **state)
{
    struct amp_quiet_wait wait;

    (void) state;
    fake.now_ns = 0;
    amp_quiet_wait_begin(&wait, fake_clock, QUIET_NS, 0.1);
    fake.now_ns += 20000 * MS;
    for (int i = 0; i < 3; i++) /* of three seconds and a tenth of what was not waited: two seconds each, three times */
        assert_true(amp_quiet_wait_use(&wait, 2));
    assert_false(amp_quiet_wait_use(&wait, 2));
    assert_int_equal(wait.waited_ns, 6000 * MS);
}

static void test_the_process_stays_where_it_was_allowed(void **state)
{
    cpu_set_t before, after;
    struct amp_quiet_wait wait;

    (void) state;
    fake.busy[0].to_ns = fake.busy[1].to_ns = 0;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    amp_quiet_wait_begin(&wait, fake_clock, QUIET_NS, 0.1);
    amp_quiet_wait_core(&wait, sched_getcpu());
    amp_quiet_wait_core(&wait, CPU_SETSIZE - 1); /* one that hardly any machine has: then where we are */
    amp_quiet_wait_core(&wait, -1);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    assert_in_range(wait.waited_ns, (uint64_t) (2 + CPU_COUNT(&before)) * 2 * MS,
                    (uint64_t) (2 + CPU_COUNT(&before)) * 2 * MS + 1 * MS); /* each of them was looked at */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waiting_ends_two_quiet_milliseconds_after_the_last_neighbour),
        cmocka_unit_test(test_the_wait_is_three_seconds_and_a_tenth_of_what_was_measured),
        cmocka_unit_test(test_no_wait_at_all),
        cmocka_unit_test(test_measuring_again_takes_time_for_waiting),
        cmocka_unit_test(test_the_process_stays_where_it_was_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
