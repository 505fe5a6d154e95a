/* SPDX-License-Identifier: MIT
 *
 * The loop over the jobs of a run, one job after the other. The words of a script are those of loop_jobs.h. */
#include "tests/harness/run/loop_jobs.h"

#include <signal.h>

/* A child of two seconds. */
static int fake_start(const struct amp_process *const *processes, size_t n, size_t at_once, struct amp_outcome *out)
{
    static const struct {
        char does;
        enum amp_ending ending;
    } endings[] = { { 'S', AMP_SIGNAL }, { 'T', AMP_TIMEOUT }, { 'M', AMP_MEMORY }, { 'E', AMP_EXIT },
                    { 'I', AMP_INTERRUPTED }, { 'i', AMP_INTERRUPTED } };
    const char *name = processes[0]->argv[0], *file = processes[0]->argv[1], *does = said_of(fake.script, name);
    unsigned *attempt = &fake.attempts[name[0] % 16 * 16 + name[1] % 16];
    char journal[1024], what;

    assert_true(n == 1 && at_once == 1);
    for (unsigned i = 0; i < *attempt && does && *does && *does != ' '; i++)
        does++;
    what = does && *does && *does != ' ' ? *does : '.';
    read_journal(journal); /* it began with this job, and nobody may take an older result for this one */
    assert_int_equal(journal[strlen(journal) - 3], '>');
    assert_string_equal(journal + strlen(journal) - 2, name);
    assert_int_not_equal(access(file, F_OK), 0);
    (*attempt)++;
    fake.now_ns += 2 * S;
    *out = (struct amp_outcome){ .ending = AMP_DONE, .seconds = 2 };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (endings[i].does == what)
            out->ending = endings[i].ending;
    if (fake.interrupts) {
        raise(SIGINT);
        amp_process_pause(0); /* where signals are noticed, as in a real child's time */
    }
    if (what == 'X') {
        out->ending = AMP_INTERRUPTED;
        return -EAGAIN;
    }
    if (strchr(".DiRK", what) || (what == 'S' && name[1] == '9')) /* 9: it crashes behind its result */
        write_result(file, what == 'D');
    return 0;
}

/* The exit status of a run of these jobs; its journal goes into *journal. */
static int run_jobs(const char *jobs, const char *script, size_t needed, double share, char journal[1024])
{
    int status;

    begin_run(script, fake_start);
    make_jobs(jobs, needed);
    amp_loop_begin(&fake.loop);
    amp_quiet_wait_begin(&fake.loop.quiet_wait, fake_clock, QUIET_NS, share);
    fake.now_ns += share > 0.1 ? 100 * S : 0;
    status = amp_loop_run(&fake.loop);
    read_journal(journal);
    amp_journal_close(fake.loop.journal);
    return status;
}

static const struct {
    const char *name, *jobs, *script;
    size_t needed;
    const char *journal;
    int status;
} runs[] = {
    { "all well", "a0 b0 a1", "", 2, ">a0 +a0 >b0 +b0 >a1 +a1", 0 },
    { "gone on with", "a0* b0 a1* b1", "", 2, ">b0 +b0 >b1 +b1", 0 },
    { "a crash by chance", "a0 a1 a2", "a1=S.", 3, ">a0 +a0 >a1 ~a1 >a1 +a1 >a2 +a2", 0 },
    { "too slow and without memory by chance", "a0 b0", "a0=T. b0=M.", 1, ">a0 ~a0 >a0 +a0 >b0 ~b0 >b0 +b0", 0 },
    { "a crash behind the result is one", "a9 a1", "a9=S.", 2, ">a9 ~a9 >a9 +a9 >a1 +a1", 0 },
    { "a crash every time", "a0 b0 a1 a2 a3 b1", "a0=SS a1=SS a2=SS a3=SS", 1,
      ">a0 ~a0 >a0 ~a0 >b0 +b0 >a1 ~a1 >a1 -a1 >b1 +b1", 1 },
    { "the first of all", "a0 a1 a2", "a0=TT", 2, ">a0 ~a0 >a0 ~a0 >a1 +a1 >a2 +a2", 0 },
    { "the first, which cannot be spared", "a0 a1 a2", "a0=TT", 3, ">a0 ~a0 >a0 -a0", 1 },
    { "another reason the second time", "a0 a1", "a0=ST", 2, ">a0 ~a0 >a0 -a0", 1 },
    { "a status the second time", "a0 a1 a2", "a1=SE", 1, ">a0 +a0 >a1 ~a1 >a1 -a1", 1 },
    { "a launch that is lost", "a0 a1 a2 a3", "a1=SS", 3, ">a0 +a0 >a1 ~a1 >a1 ~a1 >a2 +a2 >a3 +a3", 0 },
    { "one that cannot be spared", "a0 a1 a2 a3", "a1=SS", 4, ">a0 +a0 >a1 ~a1 >a1 -a1", 1 },
    { "the last of all", "a0 a1 a2", "a2=SS", 2, ">a0 +a0 >a1 +a1 >a2 ~a2 >a2 ~a2", 0 },
    { "two one after the other", "a0 a1 a2 a3", "a1=SS a2=TT", 1, ">a0 +a0 >a1 ~a1 >a1 ~a1 >a2 ~a2 >a2 -a2", 1 },
    { "two with one between", "a0 a1 b0 a2 a3 a4", "a1=SS a3=SS", 3,
      ">a0 +a0 >a1 ~a1 >a1 ~a1 >b0 +b0 >a2 +a2 >a3 ~a3 >a3 ~a3 >a4 +a4", 0 },
    { "lost in an earlier block: none to spare", "a0! a1* a2 a3", "a3=SS", 3, ">a2 +a2 >a3 ~a3 >a3 -a3", 1 },
    { "lost right before this block", "a0* a1! a2 a3", "a2=SS", 1, ">a2 ~a2 >a2 -a2", 1 },
    { "one lost behind old results", "a0* a1", "a1=SS", 1, ">a1 ~a1 >a1 ~a1", 0 },
    { "a status is no chance", "a0 a1 b0", "a0=E", 1, ">a0 -a0 >b0 +b0", 1 },
    { "no result is no chance", "a0 a1", "a0=0", 1, ">a0 -a0", 1 },
    { "refused", "a0 a1 b0", "a0=R", 1, ">a0 -a0 >b0 +b0", 1 },
    { "refused and kept", "a0 a1 b0", "a0=K", 1, ">a0 +a0 -a0 >b0 +b0", 1 },
    { "a column falls with its head", "E0 c0 a0 d0 c1", "E0=SS", 1, ">E0 ~E0 >E0 -E0 >a0 +a0", 1 },
    { "a cell falls alone", "E0 c0 a0 d0 c1 d1", "c0=E", 1,
      ">E0 +E0 >c0 -c0 >a0 +a0 >d0 +d0 >d1 +d1", 1 },
    { "interrupted", "a0 a1 a2", "a1=I", 1, ">a0 +a0 >a1", 130 },
    { "interrupted behind its result", "a0 a1", "a1=i", 1, ">a0 +a0 >a1 +a1", 0 },
    { "one cannot be started", "a0 a1 a2", "a1=X", 1, ">a0 +a0 >a1", 2 },
};

static void test_what_a_run_does(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        char journal[1024];
        int status = run_jobs(runs[i].jobs, runs[i].script, runs[i].needed, 0, journal);

        if (status != runs[i].status || strcmp(journal, runs[i].journal) != 0)
            fail_msg("%s: status %d: %s", runs[i].name, status, journal);
        clean_up();
    }
}

static const struct {
    const char *name, *jobs, *script;
    double share; /* of the time, for waiting; above a tenth the run has been going on for long */
    unsigned attempts;
    bool kept;
} disturbed[] = {
    { "quiet", "a0", ".", 0.2, 1, true },
    { "disturbed once", "a0", "a0=D.", 0.2, 2, true },
    { "disturbed twice", "a0", "a0=DD.", 0.2, 3, true },
    { "always: four times", "a0", "a0=DDDDD", 0.2, 4, true },
    { "with little time for it: it is overdrawn once", "a0", "a0=DDDD", 0.01, 3, true },
    { "with none", "a0", "a0=DD", 0, 1, true },
    { "the first fails", "a0", "a0=E", 0.2, 1, false },
    { "the second fails", "a0", "a0=DE", 0.2, 2, false },
    { "the second cannot be started", "a0", "a0=DX", 0.2, 2, false },
};

static void test_a_disturbed_job_is_run_again_while_there_is_time(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof disturbed / sizeof disturbed[0]; i++) {
        char journal[1024];

        run_jobs(disturbed[i].jobs, disturbed[i].script, 1, disturbed[i].share, journal);
        print_message("  %s\n", disturbed[i].name);
        assert_int_equal(fake.attempts['a' % 16 * 16], disturbed[i].attempts);
        assert_int_equal(access(fake.loop.jobs.list[0].file, F_OK) == 0, disturbed[i].kept);
        clean_up();
    }
}

static const struct {
    const char *name, *jobs, *turns, *rebuilt_at, *journal;
    int status;
} words[] = {
    { "left out with its column", "E0 c0 a0 d0", "E0=o", NULL, ">a0 +a0", 0 },
    { "failed before it began", "E0 c0 a0", "E0=f", NULL, "-E0 >a0 +a0", 1 },
    { "failed, and nobody had asked for it", "E0 c0 a0", "E0=x", NULL, "-E0 >a0 +a0", 0 },
    { "failed though it has a result", "E0* c0 a0", "E0=f", NULL, "-E0 >a0 +a0", 1 },
    { "the disk fails when a result is looked at again", "E0* c0 a0", "E0=w", NULL, "", 2 },
    { "complete without the rest", "a0 a1 a2", "a1=e", NULL, ">a0 +a0", 0 },
    { "built anew before it", "a0 a1", NULL, "a1", ">a0 +a0", 2 },
    { "built anew while it ran", "a0 a1", NULL, "a1!", ">a0 +a0 >a1", 2 },
};

static void test_what_the_verb_says(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char journal[1024];
        int status;

        fake.turns = words[i].turns;
        fake.rebuilt_at = words[i].rebuilt_at;
        status = run_jobs(words[i].jobs, "", 1, 0, journal);
        if (status != words[i].status || strcmp(journal, words[i].journal) != 0)
            fail_msg("%s: status %d: %s", words[i].name, status, journal);
        if (status == 2) /* nothing of the other build comes into the run */
            assert_int_not_equal(access(fake.loop.jobs.list[1].file, F_OK), 0);
        clean_up();
    }
    fake.turns = fake.rebuilt_at = NULL;
}

/* How many jobs a failed group takes along stands beside it. */
static void test_what_is_skipped_is_counted(void **state)
{
    char journal[1024], line[1024], path[128];
    json_int_t skipped = -1;
    FILE *file;

    (void) state;
    run_jobs("a0 b0 a1 a2 b1 a3", "a1=SS", 4, 0, journal);
    snprintf(path, sizeof path, "%s/journal.jsonl", fake.dir);
    file = fopen(path, "r");
    while (fgets(line, sizeof line, file)) {
        json_t *event = json_loads(line, 0, NULL);

        if (json_object_get(event, "skipped"))
            skipped = json_integer_value(json_object_get(event, "skipped"));
        json_decref(event);
    }
    fclose(file);
    assert_int_equal(skipped, 2);
    assert_int_equal(fake.loop.progress.done, 6);
    assert_int_equal(fake.loop.progress.unmeasured, 3);
    assert_int_equal(fake.loop.failed, 1);
    clean_up();
}

/* The signal comes with the first child, whose result is kept; comes last, since it is noticed from then on. */
static void test_an_interrupt_keeps_what_is_finished(void **state)
{
    char journal[1024];

    (void) state;
    fake.interrupts = true;
    assert_int_equal(run_jobs("a0 a1 a2", "", 1, 0, journal), 130);
    assert_string_equal(journal, ">a0 +a0");
    assert_int_equal(access(fake.loop.jobs.list[0].file, F_OK), 0);
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
        cmocka_unit_test(test_what_a_run_does),
        cmocka_unit_test(test_a_disturbed_job_is_run_again_while_there_is_time),
        cmocka_unit_test(test_what_the_verb_says),
        cmocka_unit_test(test_what_is_skipped_is_counted),
        cmocka_unit_test(test_an_interrupt_keeps_what_is_finished),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
