/* SPDX-License-Identifier: MIT
 *
 * What became of a process, in words: of statuses as wait(2) gives them. */
#include "harness/run/outcome.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
        const struct amp_process process = { .cpu = -1 };
        struct amp_outcome outcome = { .ending = AMP_INTERRUPTED };
        struct amp_tail tail = { .n = 0 };

        amp_tail_add(&tail, rows[i].output, strlen(rows[i].output));
        amp_tail_end(&tail);
        amp_outcome_describe(&process, rows[i].status, &tail, &outcome);
        if (outcome.ending != rows[i].ending || strcmp(outcome.detail, rows[i].detail) != 0)
            fail_msg("%s: %d, '%s'", rows[i].name, (int) outcome.ending, outcome.detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
