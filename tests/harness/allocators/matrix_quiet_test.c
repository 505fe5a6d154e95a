/* SPDX-License-Identifier: MIT
 *
 * Which launches of a matrix are measured again, and how often; children that write what we say, on a clock of our own.
 * What the rows of tests/golden/disturbed.json say, plots/ says too (allocators_test.py). */
#include "harness/allocators/matrix_quiet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUIET_NS = 990, MOST = 8 };
#define S 1000000000ull

static struct {
    uint64_t now_ns;
    bool disturbed[MOST]; /* each attempt */
    int fails_at;         /* an attempt that is a time-out, behind its result; -1: none */
    int err_at;           /* one that cannot be started; -1: none */
    int attempts;
} fake;

static uint64_t fake_clock(void)
{
    return fake.now_ns += QUIET_NS;
}

/* A child of two seconds; the "launch" of its result is the number of the attempt. */
static int fake_child(void *context, const char *file, struct amp_outcome *outcome)
{
    json_int_t reading = fake.disturbed[fake.attempts] ? 2 * QUIET_NS : QUIET_NS;
    int n = fake.attempts++;
    json_t *result;

    assert_ptr_equal(context, &fake);
    assert_int_not_equal(access(file, F_OK), 0); /* nobody may take the last one's for this one's */
    fake.now_ns += 2 * S;
    *outcome = (struct amp_outcome){ .ending = n == fake.fails_at ? AMP_TIMEOUT : AMP_DONE, .seconds = 2 };
    if (n == fake.err_at)
        return -EAGAIN;
    result = json_pack("{s:I, s:i, s:[I, I, I], s:{s:I}}", "quiet_ns", (json_int_t) QUIET_NS, "launch", n, "sensor_ns",
                       reading, reading, reading, "latency", "sensor_ns", reading);
    assert_int_equal(json_dump_file(result, file, 0), 0);
    json_decref(result);
    return 0;
}

static const struct {
    const char *name;
    bool disturbed[MOST];
    int fails_at, err_at;
    double share;    /* the patience */
    uint64_t run_ns; /* how long the run has been going on */
    int attempts, kept;
} rows[] = {
    { "quiet", { false }, -1, -1, 0.2, 100 * S, 1, 0 },
    { "disturbed once", { true }, -1, -1, 0.2, 100 * S, 2, 1 },
    { "disturbed twice", { true, true }, -1, -1, 0.2, 100 * S, 3, 2 },
    { "always: four times", { true, true, true, true, true }, -1, -1, 0.2, 100 * S, 4, 3 },
    { "with little patience: it is overdrawn once", { true, true, true, true }, -1, -1, 0.01, 0, 3, 2 },
    { "with none", { true, true }, -1, -1, 0, 100 * S, 1, 0 },
    { "the first fails", { true }, 0, -1, 0.2, 100 * S, 1, 0 },
    { "the second fails", { true, true }, 1, -1, 0.2, 100 * S, 2, 1 },
    { "the second cannot be started", { true, true }, -1, 1, 0.2, 100 * S, 2, -1 },
};

static void test_a_disturbed_launch_is_measured_again(void **state)
{
    char file[] = "/tmp/ampersand-quiet-XXXXXX";
    int made = mkstemp(file);

    (void) state;
    assert_true(made >= 0);
    close(made);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_quiet_wait patience;
        struct amp_outcome outcome;
        json_t *result;
        int err;

        print_message("  %s\n", rows[i].name);
        unlink(file);
        fake.now_ns = 0;
        fake.attempts = 0;
        memcpy(fake.disturbed, rows[i].disturbed, sizeof fake.disturbed);
        fake.fails_at = rows[i].fails_at;
        fake.err_at = rows[i].err_at;
        amp_quiet_wait_begin(&patience, fake_clock, QUIET_NS, rows[i].share);
        fake.now_ns += rows[i].run_ns;
        err = amp_matrix_quietly(&patience, 0, fake_child, &fake, file, &outcome);
        assert_int_equal(fake.attempts, rows[i].attempts);
        assert_int_equal(err, rows[i].err_at >= 0 ? -EAGAIN : 0);
        assert_int_equal(outcome.ending, rows[i].fails_at >= 0 ? AMP_TIMEOUT : AMP_DONE);
        result = json_load_file(file, 0, NULL);
        assert_int_equal(result ? json_integer_value(json_object_get(result, "launch")) : -1, rows[i].kept);
        json_decref(result);
    }
    unlink(file);
}

static void test_what_is_disturbed(void **state)
{
    json_t *all = json_load_file(getenv("AMPERSAND_DISTURBED"), 0, NULL), *row;
    size_t i;

    (void) state;
    assert_true(json_array_size(all) > 5);
    json_array_foreach(all, i, row)
    {
        print_message("  %s\n", json_string_value(json_object_get(row, "name")));
        assert_int_equal(amp_matrix_is_disturbed(json_object_get(row, "result")),
                         json_is_true(json_object_get(row, "disturbed")));
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_disturbed_launch_is_measured_again),
        cmocka_unit_test(test_what_is_disturbed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
