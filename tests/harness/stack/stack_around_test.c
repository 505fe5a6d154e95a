/* SPDX-License-Identifier: MIT
 *
 * The growable stack among what is around it: traces across it, threads that have their own, signals on it. */
#include "tests/harness/stack/stack_chain.h"

#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <cmocka.h>

/* ---- Unwinding */

struct trace {
    void *frames[64];
    int n;
};

static uint64_t take_trace(void *arg)
{
    struct trace *t = arg;

    t->n = backtrace(t->frames, 64);
    return 0;
}

static uint64_t count_up(void *arg)
{
    return (uint64_t) ((struct trace *) arg)->n;
}

AMP_GROWS(uint64_t, deep, FRAME_DEEP, struct trace *t, unsigned n)
{
    uint64_t sum = n ? deep(t, n - 1) : amp_stack_call(t->n ? count_up : take_trace, t);

    KEEP(t);
    return sum + 1;
}

AMP_GROWS(uint64_t, run_deep, FRAME_DEEP, void *arg)
{
    uint64_t sum = deep(arg, 9);

    KEEP(arg);
    return sum;
}

static unsigned frames_in(const struct trace *t, const char *name)
{
    char **symbols = backtrace_symbols(t->frames, t->n);
    unsigned found = 0;

    for (int i = 0; i < t->n; i++)
        found += strstr(symbols[i], name) != NULL;
    free(symbols);
    return found;
}

/* The most frames in a row that return to one place, as those of a recursion do. */
static unsigned longest_recursion(const struct trace *t)
{
    unsigned longest = 0, run = 0;

    for (int i = 1; i < t->n; i++) {
        run = t->frames[i] == t->frames[i - 1] ? run + 1 : 0;
        longest = run + 1 > longest ? run + 1 : longest;
    }
    return longest;
}

static bool returns_into(const struct trace *t, uintptr_t function, size_t size)
{
    for (int i = 0; i < t->n; i++)
        if ((uintptr_t) t->frames[i] > function && (uintptr_t) t->frames[i] <= function + size)
            return true;
    return false;
}

static void trace_event(void *watcher, const struct amp_stack_event *event)
{
    if (event->depth == 11)
        take_trace(watcher);
}

__attribute__((noinline)) static int run_from_here(struct amp_stack *stack, struct trace *t)
{
    int error = amp_stack_run(stack, run_deep, t, NULL);

    KEEP(t);
    return error;
}

static void unwinds_across(void **unused)
{
    struct trace t = { .n = 0 }, plain = { .n = 0 };
    struct amp_stack_policy policy = AMP_STACK_GO;
    struct amp_stack *stack;

    (void) unused;
    needs_growth();
    take_trace(&plain);
    for (int within_growth = 0; within_growth < 2; within_growth++) {
        policy.modes = within_growth ? AMP_STACK_TRACE : 0;
        policy.watch = within_growth ? trace_event : NULL;
        policy.watcher = &t;
        t.n = 0;
        stack = create(&policy);
        assert_int_equal(run_from_here(stack, &t), 0);
        assert_int_equal(frames_in(&t, within_growth ? "amp_stack_more" : "amp_stack_call"), 1);
        assert_int_equal(longest_recursion(&t), 9);
        assert_true(returns_into(&t, (uintptr_t) run_from_here, 128));
        assert_ptr_equal(t.frames[t.n - 1], plain.frames[plain.n - 1]); /* down to where the program began */
        assert_int_equal(amp_stack_destroy(stack), 0);
    }
}

/* ---- Threads, signals */

static void *run_many(void *arg)
{
    struct amp_stack_policy policy = AMP_STACK_GO;
    const char *why;
    bool good = true;

    for (uint64_t i = 0; i < 300 && good; i++) {
        struct amp_stack *stack;
        uint64_t result = 0, n = 7 * i;

        policy.modes = i % 3 ? 0 : AMP_STACK_FORCE | AMP_STACK_POISON;
        n = i % 3 ? n : n / 16;
        good = amp_stack_create(&policy, &stack, &why) == 0 && amp_stack_run(stack, run_chain, &n, &result) == 0 &&
               result == sum_to(n) && amp_stack_destroy(stack) == 0;
    }
    return good ? arg : NULL;
}

static void threads_have_their_own(void **unused)
{
    pthread_t threads[8];
    void *done;

    (void) unused;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, run_many, threads), 0);
        for (size_t i = 0; i < 8; i++) {
            assert_int_equal(pthread_join(threads[i], &done), 0);
            assert_ptr_equal(done, threads);
        }
    }
}

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
    volatile char page[2048];

    (void) signal;
    memset((char *) page, 1, sizeof page);
    signals = signals + page[7];
}

static void signals_meanwhile(void **unused)
{
    static char memory[1 << 16];
    stack_t alternate = { .ss_sp = memory, .ss_size = sizeof memory };
    struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_ONSTACK | SA_RESTART };
    struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
    struct amp_stack_policy policy = { .start_b = 2048, .limit_b = 1 << 24, .factor = 2, .modes = AMP_STACK_FORCE };
    struct amp_stack *stack = create(&policy);

    (void) unused;
    assert_int_equal(sigaltstack(&alternate, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (uint64_t i = 0; signals < 300; i++) {
        uint64_t n = 100 + i % 50, result = 0;

        assert_int_equal(amp_stack_run(stack, run_chain, &n, &result), 0);
        assert_int_equal(result, sum_to(n));
    }
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    alternate.ss_flags = SS_DISABLE;
    assert_int_equal(sigaltstack(&alternate, NULL), 0);
    assert_int_equal(amp_stack_destroy(stack), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unwinds_across),
        cmocka_unit_test(threads_have_their_own),
        cmocka_unit_test(signals_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
