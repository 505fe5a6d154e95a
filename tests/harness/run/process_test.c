/* SPDX-License-Identifier: MIT
 *
 * What an outcome is, held to the result that is there or not. What becomes of processes is in launch_test.py. */
#include "harness/run/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
    const char *name;
    bool is_there;
    enum amp_ending ending, want;
    const char *detail;
} rows[] = {
    { "done", true, AMP_DONE, AMP_DONE, "" },
    { "done, without a result", false, AMP_DONE, AMP_EXIT, "it ended without a result" },
    { "interrupted", false, AMP_INTERRUPTED, AMP_INTERRUPTED, "" },
    { "interrupted behind its result", true, AMP_INTERRUPTED, AMP_DONE, "" },
    { "killed behind its result", true, AMP_SIGNAL, AMP_SIGNAL, "" },
    { "too slow behind its result", true, AMP_TIMEOUT, AMP_TIMEOUT, "" },
    { "failed", false, AMP_EXIT, AMP_EXIT, "" },
};

static void test_an_outcome_is_held_to_its_result(void **state)
{
    char there[] = "/tmp/ampersand-process-XXXXXX";
    int made = mkstemp(there);

    (void) state;
    assert_true(made >= 0);
    close(made);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_outcome outcome = { .ending = rows[i].ending };

        amp_process_hold_to(rows[i].is_there ? there : "/tmp/ampersand-process-is-not-there", &outcome);
        if (outcome.ending != rows[i].want || strcmp(outcome.detail, rows[i].detail) != 0)
            fail_msg("%s: %s: %s", rows[i].name, amp_outcome_reason(&outcome), outcome.detail);
    }
    unlink(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outcome_is_held_to_its_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
