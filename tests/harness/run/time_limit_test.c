/* SPDX-License-Identifier: MIT
 *
 * How long a process may take: on a clock of our own, beside a machine that gives it only a share of a CPU. And how
 * long real processes have waited for one. */
#include "harness/run/time_limit.h"

/* clang-format off: cmocka.h wants the two before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP 4711

static struct {
    double begin_s, now_s, waits_from_s, share; /* of the time from then on, in which it waits */
    unsigned asked;
} fake;

static double fake_waited_s(pid_t group)
{
    assert_int_equal(group, GROUP);
    fake.asked++;
    return fmax(fake.now_s - fake.begin_s - fake.waits_from_s, 0) * fake.share;
}

/* As amp_process_run() does: wait until the limit seems over, then ask. */
static double killed_s(unsigned limit_s)
{
    struct amp_time_limit limit = { .begin_s = fake.begin_s, .limit_s = limit_s };

    for (fake.now_s = fake.begin_s; !amp_time_limit_is_over(&limit, fake.now_s, fake_waited_s, GROUP);)
        fake.now_s = amp_time_limit_end_s(&limit);
    return fake.now_s - fake.begin_s;
}

static void test_time_without_a_cpu_does_not_count(void **state)
{
    static const struct {
        const char *name;
        double waits_from_s, share, killed_s;
    } rows[] = {
        { "it runs, or sleeps", 0, 0, 60 },
        { "it gets half a CPU", 0, 0.5, 120 },
        { "it gets a fifth of one", 0, 0.8, 300 },
        { "a neighbour comes while it runs", 30, 0.5, 90 },
        { "a neighbour comes when it is over", 60, 0.9, 60 },
        { "it gets a hundredth", 0, 0.99, 600 },
        { "it gets nothing", 0, 1, 600 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double got_s;

        fake.begin_s = 1000;
        fake.waits_from_s = rows[i].waits_from_s;
        fake.share = rows[i].share;
        got_s = killed_s(60);
        if (!(fabs(got_s - rows[i].killed_s) < 1e-6))
            fail_msg("%s: killed after %g s, not %g", rows[i].name, got_s, rows[i].killed_s);
    }
}

static void test_nobody_is_asked_before_the_limit(void **state)
{
    struct amp_time_limit limit = { .begin_s = 0, .limit_s = 60 };

    (void) state;
    fake.asked = 0;
    assert_false(amp_time_limit_is_over(&limit, 59.9, fake_waited_s, GROUP));
    assert_int_equal(fake.asked, 0);
}

/* Read once more by hand: nanoseconds that the process waited for a CPU. */
static double schedstat_s(pid_t process)
{
    unsigned long long ran, waited;
    char path[64];
    FILE *file;
    int n;

    snprintf(path, sizeof path, "/proc/%d/schedstat", (int) process);
    file = fopen(path, "r");
    if (!file)
        return -1;
    n = fscanf(file, "%llu %llu", &ran, &waited);
    fclose(file);
    return n == 2 ? (double) waited / 1e9 : -1;
}

static pid_t spin(pid_t group)
{
    pid_t child = fork();

    if (child == 0) {
        setpgid(0, group);
        for (;;)
            ;
    }
    assert_true(child > 0);
    setpgid(child, group);
    return child;
}

/* The first CPU that is allowed, for this process and those that it starts. */
static void share_one_cpu(cpu_set_t *before)
{
    cpu_set_t one;
    size_t cpu = 0;

    assert_int_equal(sched_getaffinity(0, sizeof *before, before), 0);
    while (!CPU_ISSET(cpu, before))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
}

static void test_what_a_group_waited_is_what_one_of_its_processes_did(void **state)
{
    double before_s[2], got_s, after_s[2];
    pid_t processes[2];
    cpu_set_t before;

    (void) state;
    if (schedstat_s(getpid()) < 0)
        skip(); /* a kernel that does not tell */
    share_one_cpu(&before);
    processes[0] = spin(0);
    processes[1] = spin(processes[0]);
    while (schedstat_s(processes[0]) <= 0 || schedstat_s(processes[1]) <= 0)
        sched_yield(); /* all three want this CPU */
    for (int i = 0; i < 2; i++)
        before_s[i] = schedstat_s(processes[i]);
    got_s = amp_time_limit_waited_s(processes[0]);
    for (int i = 0; i < 2; i++)
        after_s[i] = schedstat_s(processes[i]);
    kill(-processes[0], SIGKILL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(waitpid(processes[i], NULL, 0), processes[i]);
    sched_setaffinity(0, sizeof before, &before);
    assert_true(got_s >= fmax(before_s[0], before_s[1]) && got_s <= fmax(after_s[0], after_s[1]));
    assert_true(amp_time_limit_waited_s(processes[0]) == 0); /* they are gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_without_a_cpu_does_not_count),
        cmocka_unit_test(test_nobody_is_asked_before_the_limit),
        cmocka_unit_test(test_what_a_group_waited_is_what_one_of_its_processes_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
