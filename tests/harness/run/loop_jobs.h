/* SPDX-License-Identifier: MIT
 *
 * Jobs of a loop, with children that do what a script says, on a clock of our own.
 *
 * Jobs are written as group and launch, "a0 b0 a1"; "A0" is of the larger group that all of its letter lie in, and
 * "a0*" has a result before the run begins, "a0!" was lost in an earlier block. What its child does, attempt for
 * attempt:
 *
 *     .  writes its result          S T M  a signal, a time-out, no memory      I  is interrupted, without a result
 *     D  the same, disturbed        E      an exit status                       i  is interrupted behind its result
 *     0  ends well without one      X      cannot be started                    R K  a result that the verb refuses and
 *                                                                                    takes away, or keeps
 * What the journal then has: >a0 started, +a0 done, ~a0 failed and its group goes on, -a0 failed with its group. */
#ifndef TESTS_LOOP_JOBS_H
#define TESTS_LOOP_JOBS_H

#include "harness/run/loop.h"

#include "harness/files/folder.h"
#include "harness/measure/rounds.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUIET_NS = 990 };
#define S 1000000000ull

static struct {
    char dir[64];
    const char *script;      /* "a1=S. b0=E": of each other job each attempt is well */
    const char *rebuilt_at;  /* the job before whose end its lesson is built anew */
    const char *turns;       /* "a0=o b0=f": left out, failed, failed and excused (x), EIO (w), the end */
    unsigned attempts[256];  /* of a job, by its place */
    uint64_t now_ns;
    struct amp_loop loop;
    bool interrupts; /* a real SIGINT with the first child */
} fake;

static uint64_t fake_clock(void)
{
    return fake.now_ns += QUIET_NS;
}

/* What a list such as "a1=S. b0=E" says of a job, behind its '='; NULL: nothing. */
static const char *said_of(const char *list, const char *job)
{
    const char *at = list;

    while (at && *at && !(strncmp(at, job, 2) == 0 && at[2] == '=')) {
        at = strchr(at, ' ');
        at += at != NULL;
    }
    return at && *at ? at + 3 : NULL;
}

static const char *name_of(const struct amp_job *job)
{
    return json_string_value(json_object_get(job->fields, "job"));
}

/* The journal in the words on top of this file, without its first and last lines. */
static void read_journal(char out[1024])
{
    char path[128], line[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/journal.jsonl", fake.dir);
    file = fopen(path, "r");
    out[0] = '\0';
    while (file && fgets(line, sizeof line, file)) {
        json_t *event = json_loads(line, 0, NULL);
        const char *name = json_string_value(json_object_get(event, "event"));
        bool goes_on = json_is_true(json_object_get(event, "goes_on"));
        char sign = name[0] == 's' ? '>' : name[0] == 'd' ? '+' : goes_on ? '~' : '-';

        sprintf(out + strlen(out), "%s%c%s", *out ? " " : "", sign, json_string_value(json_object_get(event, "job")));
        json_decref(event);
    }
    if (file)
        fclose(file);
}

static void write_result(const char *path, bool disturbed)
{
    json_t *result = json_pack("{s:b}", "disturbed", disturbed);

    assert_int_equal(json_dump_file(result, path, 0), 0);
    json_decref(result);
}

static bool is_disturbed(const json_t *result)
{
    return json_is_true(json_object_get(result, "disturbed"));
}

static const char *rebuilt(void *run, const struct amp_job *job)
{
    const char *at = fake.rebuilt_at, *name = name_of(job);

    (void) run;
    if (!at || strncmp(at, name, 2) != 0)
        return NULL;
    return at[2] != '!' || fake.attempts[name[0] % 16 * 16 + name[1] % 16] > 0 ? "good" : NULL;
}

static int turn(void *run, const struct amp_job *job, size_t left, struct amp_outcome *out)
{
    const char *what = said_of(fake.turns, name_of(job));

    (void) run;
    (void) left;
    if (!what)
        return AMP_TURN_GO;
    if (*what == 'w')
        return -EIO;
    out->reason = "wrong";
    out->excused = *what == 'x';
    return *what == 'o' ? AMP_TURN_LEAVE_OUT : *what == 'f' || *what == 'x' ? AMP_TURN_FAIL : AMP_TURN_END;
}

static int accept_result(void *run, const struct amp_job *job, struct amp_outcome *outcome)
{
    const char *does = said_of(fake.script, name_of(job));

    (void) run;
    if (does && (*does == 'R' || *does == 'K')) {
        outcome->ending = AMP_REFUSED;
        outcome->reason = "not in force";
        if (*does == 'R')
            unlink(job->file);
    }
    return 0;
}

static const struct amp_run_verb verb = {
    .turn = turn, .rebuilt = rebuilt, .is_disturbed = is_disturbed, .accept = accept_result
};

static void make_jobs(const char *list, size_t needed)
{
    struct amp_jobs *jobs = &fake.loop.jobs;

    for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ') {
        struct amp_job *job = amp_jobs_add(jobs);
        size_t letter = (size_t) (at[0] | 0x20);

        job->launch = (unsigned) (at[1] - '0');
        job->within = letter;
        job->group = at[0] < 'a' ? letter : at[0] == 'c' || at[0] == 'd' ? letter + 256 : letter;
        job->within = job->group > 256 ? 'e' : letter; /* c and d lie in E */
        job->needed = needed;
        job->timed = true;
        job->name = amp_jobs_text(jobs, "row %c", at[0]);
        job->file = amp_jobs_text(jobs, "%s/%c/%c.json", fake.dir, at[0], at[1]);
        job->fields = json_pack("{s:s, s:s%}", "kind", "paired", "job", at, (size_t) 2);
        amp_jobs_word(jobs, job, "%.2s", at);
        amp_jobs_word(jobs, job, "%s", job->file);
        if (at[2] == '!')
            job->state = AMP_JOB_LOST;
        if (at[2] == '*') {
            char folder[128];

            snprintf(folder, sizeof folder, "%s/%c", fake.dir, at[0]);
            assert_int_equal(amp_folder_make(folder), 0);
            write_result(job->file, false);
        }
    }
}

static void clean_up(void)
{
    char command[128];

    amp_jobs_free(&fake.loop.jobs);
    snprintf(command, sizeof command, "rm -rf %s", fake.dir);
    assert_int_equal(system(command), 0);
}

static void begin_run(const char *script,
                      int (*start)(const struct amp_process *const *, size_t, size_t, struct amp_outcome *))
{
    strcpy(fake.dir, "/tmp/ampersand-loop-XXXXXX");
    assert_non_null(mkdtemp(fake.dir));
    memset(fake.attempts, 0, sizeof fake.attempts);
    fake.script = script;
    fake.now_ns = 0;
    fake.loop = (struct amp_loop){ .verb = &verb, .dir = fake.dir, .start = start };
    assert_int_equal(amp_journal_open(fake.dir, &fake.loop.journal), 0);
}

#endif
