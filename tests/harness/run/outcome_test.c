/* SPDX-License-Identifier: MIT
 *
 * What became of a process, in words: of statuses as wait(2) gives them. */
#include "harness/run/outcome.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define EXIT(status) ((status) << 8)

static void test_words(void **state)
{
    const struct {
        const char *name;
        int status;
        const char *output;
        enum amp_ending ending;
        const char *detail;
    } rows[] = {
        { "done", EXIT(0), "", AMP_DONE, "" },
        { "a status", EXIT(3), "", AMP_EXIT, "status 3" },
        { "a status and a reason", EXIT(3), "ampersand: no\n", AMP_EXIT, "status 3: no" },
        { "no memory", EXIT(71), "", AMP_MEMORY, "a kernel or a fixture found no memory" },
        { "SIGSEGV", SIGSEGV, "", AMP_SIGNAL, "SIGSEGV" },
        { "SIGKILL", SIGKILL, "", AMP_SIGNAL, "SIGKILL" },
        { "with a core", SIGABRT | 0x80, "free(): invalid pointer\n", AMP_SIGNAL, "SIGABRT: free(): invalid pointer" },
#ifdef __GLIBC__
        { "a signal that few have met", SIGXFSZ, "", AMP_SIGNAL, "SIGXFSZ" },
        { "SIGUSR2", SIGUSR2, "", AMP_SIGNAL, "SIGUSR2" },
#endif
        { "a signal without a name", 40, "", AMP_SIGNAL, "signal 40" },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_outcome outcome = { .ending = AMP_INTERRUPTED };
        struct amp_tail tail = { .n = 0 };

        amp_tail_add(&tail, rows[i].output, strlen(rows[i].output));
        amp_tail_end(&tail);
        amp_outcome_describe(NULL, 0, rows[i].status, &tail, &outcome);
        if (outcome.ending != rows[i].ending || strcmp(outcome.detail, rows[i].detail) != 0)
            fail_msg("%s: %d, '%s'", rows[i].name, (int) outcome.ending, outcome.detail);
    }
}

static const struct {
    const char *name;
    bool is_there;
    enum amp_ending ending, want;
    const char *detail;
} held[] = {
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
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        struct amp_outcome outcome = { .ending = held[i].ending };

        amp_outcome_hold_to(held[i].is_there ? there : "/tmp/ampersand-process-is-not-there", &outcome);
        if (outcome.ending != held[i].want || strcmp(outcome.detail, held[i].detail) != 0)
            fail_msg("%s: %s: %s", held[i].name, amp_outcome_reason(&outcome), outcome.detail);
    }
    unlink(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words),
                                         cmocka_unit_test(test_an_outcome_is_held_to_its_result) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
