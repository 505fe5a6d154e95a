/* SPDX-License-Identifier: MIT */
#include "harness/run/loop.h"

#include "harness/files/folder.h"
#include "harness/files/results.h"
#include "harness/machine/files.h"
#include "harness/marks.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No result is larger. If this much cannot be written, the disk has failed, not the job. */
#define RESULT_B (1 << 20)

enum { ATTEMPTS = 4 }; /* for a job on a disturbed core */

void amp_loop_begin(struct amp_loop *loop)
{
    size_t left[AMP_JOB_KINDS] = { 0 }, done = 0;

    for (size_t i = 0; i < loop->jobs.n; i++) {
        struct amp_job *job = &loop->jobs.list[i];

        if (job->state == AMP_JOB_TO_DO && access(job->file, F_OK) == 0)
            job->state = AMP_JOB_DONE;
        done += job->state != AMP_JOB_TO_DO;
        left[job->kind] += job->state == AMP_JOB_TO_DO;
    }
    amp_progress_begin(&loop->progress, done, left);
}

/* ---- How a run stops */

void amp_loop_kept(const struct amp_loop *loop, char *out, size_t cap)
{
    const struct amp_progress *progress = &loop->progress;

    snprintf(out, cap, "the %zu of %zu launches that were finished are kept", progress->done - progress->unmeasured,
             progress->total);
}

int amp_loop_give_up(struct amp_loop *loop, int err)
{
    char kept[96];

    amp_loop_kept(loop, kept, sizeof kept);
    amp_progress_say(&loop->progress, loop->dir, "stopped: %s; %s, go on with --resume %s once that is mended",
                     strerror(-err), kept, loop->dir);
    return AMP_RUN_UNUSABLE;
}

/* Stop if a lesson was built again: the run must not mix two builds. */
static int hold_to_build(struct amp_loop *loop, const struct amp_job *job)
{
    const char *what = loop->verb->rebuilt ? loop->verb->rebuilt(loop->run, job) : NULL;
    char kept[96];

    if (!what)
        return 0;
    amp_loop_kept(loop, kept, sizeof kept);
    amp_progress_say(&loop->progress, loop->dir,
                     "stopped: %s was built anew while the run measured it; %s, start a new run with --out", what,
                     kept);
    return AMP_RUN_UNUSABLE;
}

/* ---- How a job ended */

/* To the millisecond; more digits would mean nothing. */
static json_t *seconds(const struct amp_outcome *outcome)
{
    return json_real((double) (long long) (outcome->seconds * 1000 + 0.5) / 1000);
}

/* Which jobs fail with this one: its group, and all groups in it. */
static bool fails_with(const struct amp_job *failed, const struct amp_job *other)
{
    return other->group == failed->group || other->within == failed->group;
}

/* Skip the rest of the job's group. Returns how many jobs that are. */
static size_t skip(struct amp_loop *loop, const struct amp_job *failed)
{
    size_t n = 0;

    for (size_t i = 0; i < loop->jobs.n; i++) {
        struct amp_job *job = &loop->jobs.list[i];

        if (job->state != AMP_JOB_TO_DO || !fails_with(failed, job))
            continue;
        job->state = AMP_JOB_SKIPPED;
        amp_progress_skip(&loop->progress, job->kind);
        n++;
    }
    return n;
}

/* Whether the group goes on without this launch; see job.h. */
static bool can_spare(const struct amp_loop *loop, const struct amp_job *lost)
{
    bool two_in_a_row = false;
    size_t left = 0;

    for (const struct amp_job *job = loop->jobs.list; job < loop->jobs.list + loop->jobs.n; job++) {
        if (job->group != lost->group || job->kind != lost->kind)
            continue;
        left += job->state == AMP_JOB_DONE || job->state == AMP_JOB_TO_DO;
        if (job < lost && (job->state == AMP_JOB_DONE || job->state == AMP_JOB_LOST))
            two_in_a_row = job->state == AMP_JOB_LOST;
    }
    return !two_in_a_row && left >= lost->needed;
}

static bool may_be_chance(enum amp_ending ending)
{
    return ending == AMP_SIGNAL || ending == AMP_TIMEOUT || ending == AMP_MEMORY;
}

/* "pass/size=8: <why>" -> "<why>", since the message names the group already. */
static const char *without(const char *prefix, const char *detail)
{
    size_t n = strlen(prefix);

    return strncmp(detail, prefix, n) == 0 && strncmp(detail + n, ": ", 2) == 0 ? detail + n + 2 : detail;
}

static const char *kind_of(const struct amp_job *job)
{
    return json_string_value(json_object_get(job->fields, "kind"));
}

static int note_failure(struct amp_loop *loop, struct amp_job *job, const struct amp_outcome *outcome)
{
    bool chance = may_be_chance(outcome->ending), again = chance && !job->tried, goes_on;
    const char *reason = amp_outcome_reason(outcome), *detail = without(job->name, outcome->detail);
    json_t *fields = json_copy(job->fields);
    size_t skipped;

    assert(reason);
    job->tried = true;
    if (!again && job->state == AMP_JOB_TO_DO) {
        job->state = AMP_JOB_LOST;
        amp_progress_ended(&loop->progress, job->kind, false, outcome->seconds);
    }
    goes_on = again || (chance && can_spare(loop, job));
    skipped = goes_on ? 0 : skip(loop, job);
    loop->progress.failed += !goes_on;
    loop->failed += !goes_on && !outcome->excused;
    amp_progress_say(&loop->progress, job->name, "%s%s: %s (%s); %s",
                     goes_on || outcome->excused ? "" : "failed: ", reason, detail, kind_of(job),
                     again     ? "it is tried once more"
                     : goes_on ? "this launch is left out, the others go on"
                               : "all others go on");
    if (fields)
        json_object_update_new(fields, json_pack("{s:s, s:s, s:o, s:I, s:o*}", "reason", reason, "detail", detail,
                                                 "seconds", seconds(outcome), "skipped", (json_int_t) skipped,
                                                 "goes_on", goes_on ? json_true() : NULL));
    return amp_journal_event(loop->journal, "failed", fields);
}

static int note_done(struct amp_loop *loop, const struct amp_job *job, const struct amp_outcome *outcome)
{
    json_t *fields = json_copy(job->fields);
    uint32_t crc32;

    if (fields && amp_results_crc32(job->file, &crc32) == 0)
        json_object_set_new(fields, "crc32", json_integer(crc32));
    if (fields)
        json_object_set_new(fields, "seconds", seconds(outcome));
    return amp_journal_event(loop->journal, "done", fields);
}

static int end_here(struct amp_loop *loop, const struct amp_job *job, const struct amp_outcome *outcome)
{
    if (!outcome->ends_run || job->state == AMP_JOB_TO_DO)
        return 0;
    amp_progress_say(&loop->progress, job->name, "%s", outcome->ends_run);
    return AMP_RUN_UNUSABLE;
}

/* 0, or the exit status with which the run ends here. If the verb refuses a result but keeps its file, the journal has
 * both `done` and `failed`. */
static int note(struct amp_loop *loop, struct amp_job *job, const struct amp_outcome *outcome)
{
    bool was_done = job->state == AMP_JOB_DONE;
    int err = 0;

    if (!was_done && access(job->file, F_OK) == 0)
        err = note_done(loop, job, outcome);
    if (!err && outcome->ending != AMP_DONE)
        err = note_failure(loop, job, outcome);
    else if (!err) {
        job->state = AMP_JOB_DONE;
        amp_progress_ended(&loop->progress, job->kind, true, outcome->seconds);
    }
    if (err)
        return amp_loop_give_up(loop, err);
    return end_here(loop, job, outcome);
}

/* ---- Running */

static void with_tmp(const struct amp_job *job, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s.tmp", job->file);
}

/* A foreign program may leave half a file, and does not notice a full disk. */
static int publish(const struct amp_job *job, struct amp_outcome *outcome)
{
    char tmp[PATH_MAX];
    json_error_t error;
    json_t *json;

    with_tmp(job, tmp);
    json = json_load_file(tmp, 0, &error);
    json_decref(json);
    if (json)
        return amp_results_publish(job->file);
    outcome->ending = AMP_EXIT;
    snprintf(outcome->detail, sizeof outcome->detail, "its file is not whole: %.160s", error.text);
    return 0;
}

static void remove_result(const struct amp_job *job)
{
    char tmp[PATH_MAX];

    with_tmp(job, tmp);
    unlink(tmp);
    unlink(job->file);
}

static int begin_job(struct amp_loop *loop, struct amp_job *job)
{
    char folder[PATH_MAX];
    int err = amp_journal_event(loop->journal, "start", json_copy(job->fields));

    amp_progress_child(&loop->progress, kind_of(job), job->name);
    job->process.argv = job->words;
    if (!err)
        err = amp_folder_of(job->file, folder);
    return err ? err : amp_folder_make(folder);
}

static bool was_disturbed(const struct amp_loop *loop, const struct amp_job *job)
{
    json_t *result = loop->verb->is_disturbed ? json_load_file(job->file, 0, NULL) : NULL;
    bool disturbed = result && loop->verb->is_disturbed(result);

    json_decref(result);
    return disturbed;
}

/* A timed job waits for a quiet core. A disturbed result is measured again, while there is time for that. */
static int run_alone(struct amp_loop *loop, const struct amp_job *job, struct amp_outcome *outcome)
{
    const struct amp_process *process = &job->process;

    for (int attempt = 1;; attempt++) {
        int err;

        if (job->timed)
            amp_quiet_wait_core(&loop->quiet_wait, process->cpu);
        AMP_TRACE_BEGIN("launch");
        err = loop->start(&process, 1, 1, outcome);
        AMP_TRACE_END("launch");
        if (err || outcome->ending != AMP_DONE || !job->timed || attempt == ATTEMPTS || !was_disturbed(loop, job) ||
            !amp_quiet_wait_use(&loop->quiet_wait, outcome->seconds))
            return err;
        unlink(job->file);
    }
}

/* As many at the same time as half of the free memory takes. */
static int run_beside(struct amp_loop *loop, struct amp_job *const *jobs, size_t n, struct amp_outcome *outcomes)
{
    const struct amp_process **processes = calloc(n, sizeof *processes);
    size_t at_once = 1;
    char line[64];
    int err;

    if (!processes)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        processes[i] = &jobs[i]->process;
    if (amp_machine_value(line, sizeof line, "/proc/meminfo", "MemAvailable"))
        at_once = strtoull(line, NULL, 10) * 1024 / 2 / jobs[0]->beside_b;
    at_once = at_once < 1 ? 1 : at_once > AMP_PROCESS_MOST ? AMP_PROCESS_MOST : at_once;
    err = loop->start(processes, n, at_once, outcomes);
    free(processes);
    return err;
}

/* Handle a job whose child has ended. 0, or the exit status with which the run ends here. */
static int end_job(struct amp_loop *loop, struct amp_job *job, struct amp_outcome *outcome)
{
    int err = 0, status;

    if (outcome->ending == AMP_DONE && job->foreign)
        err = publish(job, outcome);
    amp_outcome_hold_to(job->file, outcome);
    status = hold_to_build(loop, job);
    if (err || status || outcome->ending != AMP_DONE)
        remove_result(job);
    if (status)
        return status;
    if (!err && outcome->ending == AMP_INTERRUPTED)
        return AMP_RUN_INTERRUPTED;
    if (!err && outcome->ending != AMP_DONE) /* its fault, or that of the disk? */
        err = amp_results_probe(loop->dir, RESULT_B);
    if (!err)
        err = loop->verb->accept(loop->run, job, outcome);
    return err ? amp_loop_give_up(loop, err) : note(loop, job, outcome);
}

/* 0, or the exit status with which the run ends here. */
static int end_jobs(struct amp_loop *loop, struct amp_job *const *jobs, size_t n, struct amp_outcome *outcomes)
{
    int status = 0;

    for (size_t i = 0; i < n && (status == 0 || status == AMP_RUN_INTERRUPTED); i++) {
        bool is_open = jobs[i]->state == AMP_JOB_TO_DO; /* else its group failed meanwhile */
        int ended = is_open ? end_job(loop, jobs[i], &outcomes[i]) : 0;

        status = ended ? ended : status;
    }
    return status;
}

/* Collect the job, and the following ones that may run at the same time. Returns how many. */
static size_t gather(struct amp_loop *loop, struct amp_job *first, struct amp_job **out)
{
    size_t n = 0;

    for (struct amp_job *job = first; job < loop->jobs.list + loop->jobs.n; job++)
        if (job == first || (first->beside_b > 0 && job->beside_b > 0 && job->state == AMP_JOB_TO_DO))
            out[n++] = job;
    return n;
}

/* 0, or the exit status with which the run ends here. If a child cannot be started, what the others did is kept. */
static int run_jobs(struct amp_loop *loop, struct amp_job *first)
{
    struct amp_job **jobs = calloc(loop->jobs.n, sizeof *jobs);
    size_t n = jobs ? gather(loop, first, jobs) : 0;
    struct amp_outcome *outcomes = calloc(n + 1, sizeof *outcomes);
    int err = jobs && outcomes ? 0 : -ENOMEM, status = hold_to_build(loop, first);

    for (size_t i = 0; i < n && !err && !status; i++) {
        outcomes[i].ending = AMP_INTERRUPTED; /* if it is not started */
        err = begin_job(loop, jobs[i]);
    }
    if (!err && !status) {
        err = first->beside_b == 0 ? run_alone(loop, first, outcomes) : run_beside(loop, jobs, n, outcomes);
        status = end_jobs(loop, jobs, n, outcomes);
    }
    free(outcomes);
    free(jobs);
    return err && status != AMP_RUN_UNUSABLE ? amp_loop_give_up(loop, err) : status;
}

/* Ask the verb before a job: 0, -1 if the run is complete without it, or an exit status. */
static int take_turn(struct amp_loop *loop, struct amp_job *job)
{
    struct amp_outcome outcome = { .ending = AMP_REFUSED };
    size_t left = loop->progress.total - loop->progress.done;
    int turn = loop->verb->turn ? loop->verb->turn(loop->run, job, left, &outcome) : AMP_TURN_GO;

    if (turn < 0)
        return amp_loop_give_up(loop, turn);
    switch ((enum amp_turn) turn) {
    case AMP_TURN_LEAVE_OUT:
        skip(loop, job);
        amp_progress_say(&loop->progress, job->name, "left out: %s", outcome.detail);
        return end_here(loop, job, &outcome);
    case AMP_TURN_FAIL:
        return note(loop, job, &outcome);
    case AMP_TURN_END:
        amp_progress_say(&loop->progress, loop->dir, "%s", outcome.detail);
        return -1;
    case AMP_TURN_GO:
        break;
    }
    return 0;
}

int amp_loop_run(struct amp_loop *loop)
{
    int status = 0;

    for (size_t i = 0; i < loop->jobs.n && !status; i++) {
        struct amp_job *job = &loop->jobs.list[i];

        if (job->state == AMP_JOB_TO_DO || job->state == AMP_JOB_DONE)
            status = take_turn(loop, job);
        while (job->state == AMP_JOB_TO_DO && !status) /* twice if its child ends badly */
            status = amp_process_interrupted() ? AMP_RUN_INTERRUPTED : run_jobs(loop, job);
    }
    if (status > 0)
        return status;
    if (loop->quiet_wait.waited_ns >= 1000000000)
        amp_progress_say(&loop->progress, loop->dir, "%.0f s went by waiting for a quiet core, and measuring again",
                         (double) loop->quiet_wait.waited_ns / 1e9);
    return loop->failed > 0 ? AMP_RUN_FAILED : AMP_RUN_DONE;
}
