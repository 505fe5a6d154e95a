/* SPDX-License-Identifier: MIT
 *
 * Jobs that a loop runs beside each other. */
#include "tests/harness/run/loop_jobs.h"

/* All but the third, as amp_process_run() leaves them. */
static int start_all_but_one(const struct amp_process *const *processes, size_t n, size_t at_once,
                             struct amp_outcome *out)
{
    (void) at_once;
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct amp_outcome){ .ending = i == 2 ? AMP_INTERRUPTED : AMP_DONE };
        if (i != 2)
            write_result(processes[i]->argv[1], false);
    }
    return -EAGAIN;
}

static void test_the_others_are_kept_if_one_cannot_be_started(void **state)
{
    char journal[1024];
    struct amp_jobs *jobs = &fake.loop.jobs;

    (void) state;
    begin_run("", start_all_but_one);
    make_jobs("a0 b0 a1 b1", 1);
    for (size_t i = 0; i < jobs->n; i++)
        jobs->list[i].beside_b = 1 << 20;
    amp_loop_begin(&fake.loop);
    assert_int_equal(amp_loop_run(&fake.loop), 2);
    read_journal(journal);
    assert_string_equal(journal, ">a0 >b0 >a1 >b1 +a0 +b0 +b1");
    for (size_t i = 0; i < jobs->n; i++)
        assert_int_equal(access(jobs->list[i].file, F_OK) == 0, i != 2);
    amp_journal_close(fake.loop.journal);
    clean_up();
}

/* Real children beside each other: as many results, each in the journal once, the bad one twice. */
static void test_jobs_beside_each_other(void **state)
{
    char journal[1024];
    struct amp_jobs *jobs = &fake.loop.jobs;
    size_t done = 0;

    (void) state;
    begin_run(NULL, amp_process_run);
    make_jobs("a0 b0 a1 b1 b2", 3);
    for (size_t i = 0; i < jobs->n; i++) {
        struct amp_job *job = &jobs->list[i];

        job->timed = false;
        job->beside_b = 1 << 20;
        job->process.program = "/bin/sh";
        job->process.timeout_s = 600;
        for (int k = 0; k < 2; k++) {
            free((char *) job->words[k]);
            job->words[k] = NULL;
        }
        amp_jobs_word(jobs, job, "sh");
        amp_jobs_word(jobs, job, "-c");
        amp_jobs_word(jobs, job, i == 1 ? "kill -SEGV $$" : "echo '{}' > %s", job->file);
    }
    amp_loop_begin(&fake.loop);
    amp_quiet_wait_begin(&fake.loop.quiet_wait, fake_clock, QUIET_NS, 0);
    assert_int_equal(amp_loop_run(&fake.loop), 1);
    read_journal(journal);
    for (size_t i = 0; i < jobs->n; i++)
        done += access(jobs->list[i].file, F_OK) == 0;
    assert_int_equal(done, 4);
    assert_non_null(strstr(journal, ">a0 >b0 >a1 >b1 >b2 +a0 ~b0 +a1 +b1 +b2 >b0 -b0"));
    amp_journal_close(fake.loop.journal);
    clean_up();
}

static int prepare(void **state)
{
    static struct amp_placement placement;

    (void) state;
    return amp_process_prepare(&placement);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_others_are_kept_if_one_cannot_be_started),
        cmocka_unit_test(test_jobs_beside_each_other),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
