/* SPDX-License-Identifier: MIT
 *
 * The sensor on a clock of our own: its loops take what the clock says they take. */
#include "harness/measure/sensor.h"

/* clang-format off: cmocka.h wants the two before it */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>

/* Every second reading ends a loop; loop i takes loops_ns[i % n]. */
static struct {
    const uint64_t *loops_ns;
    size_t n, i;
    uint64_t now_ns;
    bool in_loop;
} fake;

static uint64_t fake_clock(void)
{
    if (fake.in_loop)
        fake.now_ns += fake.loops_ns[fake.i++ % fake.n];
    fake.in_loop = !fake.in_loop;
    return fake.now_ns;
}

static void begin(const uint64_t *loops_ns, size_t n)
{
    fake.loops_ns = loops_ns;
    fake.n = n;
    fake.i = 0;
    fake.in_loop = false;
}

static void test_a_reading_is_the_median_of_seven(void **state)
{
    static const struct {
        const char *name;
        uint64_t loops_ns[7], want_ns;
    } rows[] = {
        { "all alike", { 990, 990, 990, 990, 990, 990, 990 }, 990 },
        { "an interrupt in three of them", { 50000, 990, 990, 40000, 991, 30000, 990 }, 991 },
        { "a neighbour in most of them", { 1900, 990, 1800, 1700, 990, 1750, 1850 }, 1750 },
        { "falling", { 7, 6, 5, 4, 3, 2, 1 }, 4 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t ns;

        begin(rows[i].loops_ns, 7);
        ns = amp_sensor_read(fake_clock);
        if (ns != rows[i].want_ns || fake.i != 7)
            fail_msg("%s: %llu ns after %zu loops", rows[i].name, (unsigned long long) ns, fake.i);
    }
}

static uint64_t unsteady_clock(void) /* loops of 1,900 ns, but the 21 of the fourth to the sixth reading take 990 */
{
    static uint64_t now_ns, calls;

    calls++;
    now_ns += calls / 15 >= 3 && calls / 15 < 6 ? 990 : 1900;
    return now_ns;
}

static void test_calibration_finds_the_quiet_moment(void **state)
{
    (void) state;
    assert_int_equal(amp_sensor_calibrate(unsteady_clock, 1000000), 990);
}

static void test_quiet_is_within_a_tenth(void **state)
{
    static const struct {
        uint64_t reading_ns, quiet_ns;
        bool want;
    } rows[] = { { 990, 990, true }, { 1089, 990, true }, { 1090, 990, false }, { 1980, 990, false },
                 { 800, 990, true }, { 2, 1, false },     { 1, 1, true } };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (amp_sensor_is_quiet(rows[i].reading_ns, rows[i].quiet_ns) != rows[i].want)
            fail_msg("%llu against %llu", (unsigned long long) rows[i].reading_ns,
                     (unsigned long long) rows[i].quiet_ns);
}

/* On the machine itself, however busy: a loop is so many steps that none, and no calibration, is below 100 ns. */
static void test_on_the_clock_of_the_machine(void **state)
{
    (void) state;
    assert_in_range(amp_sensor_calibrate(amp_clock_monotonic, 20000000), 100, UINT64_MAX);
    for (int i = 0; i < 100; i++)
        assert_in_range(amp_sensor_read(amp_clock_monotonic), 100, UINT64_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reading_is_the_median_of_seven),
        cmocka_unit_test(test_calibration_finds_the_quiet_moment),
        cmocka_unit_test(test_quiet_is_within_a_tenth),
        cmocka_unit_test(test_on_the_clock_of_the_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
