/* SPDX-License-Identifier: MIT
 *
 *   plan ----> item: has it a result? ---- yes: it is kept (--resume)
 *                |  has its row failed? -- yes: it is left out
 *                v
 *   journal <- start
 *   child ---> its result file, whole or not at all
 *   journal <- done, or failed with the reason
 *
 * A result file that is there is done, whatever the journal says: the journal tells what happened, the files hold it.
 * So there is no moment at which a kill could make the two disagree in a way that matters. */
#include "harness/bench/launch.h"

#include "harness/bench/built.h"
#include "harness/bench/job_argv.h"
#include "harness/bench/looks.h"
#include "harness/bench/manifest.h"
#include "harness/files/folder.h"
#include "harness/files/journal.h"
#include "harness/files/results.h"
#include "harness/files/run_folder.h"
#include "harness/measure/heap.h"
#include "harness/measure/sensor.h"
#include "harness/run/process.h"
#include "harness/run/progress.h"
#include "harness/run/quiet_wait.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

enum { DONE = 0, ROWS_FAILED = 1, UNUSABLE = 2, INTERRUPTED = 130 };

/* A result is never larger: where so much cannot be written, it is the disk that failed and not the row. */
#define RESULT_B (1 << 20)

#define PATIENCE 0.1 /* of a run's time, for waiting until the core is quiet */

struct run {
    struct amp_launch_options options;
    struct amp_rows rows;
    unsigned *layouts; /* of each row's lesson */
    uint32_t *built;   /* noted of each row */
    bool *failed;      /* rows */
    struct amp_plan plan;
    bool *finished; /* items of the plan: nothing left to do */
    size_t left;
    struct amp_looks extension;
    json_t *manifest;
    struct amp_journal *journal;
    struct amp_placement placement;
    struct amp_progress progress;
    struct amp_quiet_wait patience;
    const char *dir;
};

/* On one CPU a pair's threads take turns: that would be the scheduler's time, and not what its question is about. */
static int leave_out_threads(struct run *run)
{
    const struct amp_row *first = NULL;
    size_t n = amp_process_cpus() == 1 ? amp_rows_leave_out_threads(&run->rows, &first) : 0;
    bool any = n == 0;
    char name[256];

    if (first)
        amp_row_name(first, name, sizeof name);
    for (size_t i = 0; i < run->rows.n; i++)
        any = any || !run->rows.row[i]->pair->floor;
    if (!any)
        return amp_run_folder_refuse(name, "its threads want two CPUs, and this process may use one only (taskset, a cpuset)");
    if (n > 0)
        amp_run_folder_refuse(name, "left out%s: threads want two CPUs, and this process may use one only (taskset, a cpuset)",
                         n > 1 ? " with the other rows that have threads" : "");
    return 0;
}

/* How large the lessons' designs are, and which build they are of. */
static int note_lessons(struct run *run)
{
    const char *why = "";

    run->layouts = amp_manifest_layouts(&run->rows, &why);
    if (!run->layouts)
        return amp_run_folder_refuse("lessons", "%s", why);
    run->built = amp_built_note(&run->rows);
    return run->built ? 0 : amp_run_folder_refuse("lessons", "their tables cannot be read; build them again");
}

static int begin_new(struct run *run, const struct amp_registry *registry)
{
    const char *why = "", *filter = run->options.filter;
    int err = amp_rows_match(registry, filter, &run->rows, &why);

    if (err == -ENOMEM)
        return amp_run_folder_refuse("plan", "%s", strerror(ENOMEM));
    if (err)
        return amp_run_folder_refuse("--filter", "'%s': %s", filter ? filter : "", why);
    err = leave_out_threads(run);
    if (!err)
        err = note_lessons(run);
    if (err)
        return err;
    run->options.quiet_ns = amp_sensor_calibrate(amp_clock_monotonic, AMP_CALIBRATE_NS);
    run->manifest = amp_manifest_make(&run->rows, run->layouts, &run->options, &why);
    if (!run->manifest)
        return amp_run_folder_refuse("manifest", "%s", why);
    return amp_run_folder_new(run->dir, amp_plan_need_b(&run->rows, run->layouts, &run->options), run->manifest,
                         &run->journal);
}

static int begin_old(struct run *run, const struct amp_registry *registry)
{
    const char *why = "", *differs;
    json_t *now;

    if (amp_run_folder_look(run->dir))
        return UNUSABLE;
    run->manifest = amp_manifest_load(run->dir, AMP_MANIFEST_SCHEMA, &why);
    if (!run->manifest || amp_manifest_restore(run->manifest, registry, &run->options, &run->rows, &why))
        return amp_run_folder_refuse(run->dir, "manifest.json: %s", why);
    if (note_lessons(run))
        return UNUSABLE;
    now = amp_manifest_make(&run->rows, run->layouts, &run->options, &why);
    if (!now)
        return amp_run_folder_refuse("manifest", "%s", why);
    differs = amp_manifest_differ(run->manifest, now);
    json_decref(now);
    if (differs)
        return amp_run_folder_refuse(run->dir, "%s: not the same as when the run began; start a new one with --out",
                                differs);
    return amp_run_folder_old(run->dir, &run->journal);
}

static void path_of(const struct run *run, const struct amp_item *item, char out[PATH_MAX])
{
    size_t n = (size_t) snprintf(out, PATH_MAX, "%s/", run->dir);

    if (n < PATH_MAX)
        amp_plan_path(run->rows.row[item->row], item, out + n, PATH_MAX - n);
}

/* The first launches and the blocks that the journal tells of; *first is where the block begins that is asked for. */
static int make_items(struct run *run, size_t *first)
{
    const char *why = strerror(ENOMEM);
    char path[PATH_MAX];

    if (amp_plan_make(&run->rows, run->layouts, &run->options, &run->plan))
        return amp_run_folder_refuse("plan", "%s", why);
    snprintf(path, sizeof path, "%s/journal.jsonl", run->dir);
    if (amp_looks_read(path, &run->rows, run->layouts, &run->options, &run->plan, &run->extension, &why))
        return amp_run_folder_refuse(run->dir, "%s", why);
    if (!run->options.rows)
        return 0;
    *first = run->plan.n;
    if (amp_looks_ask(&run->rows, run->layouts, &run->options, &run->plan, &run->extension, &why))
        return amp_run_folder_refuse("--rows", "%s", why);
    return 0;
}

static int make_plan(struct run *run)
{
    size_t left[AMP_KINDS] = { 0 }, first = 0;
    int err = make_items(run, &first);

    if (err)
        return err;
    run->failed = calloc(run->rows.n, sizeof *run->failed);
    run->finished = calloc(run->plan.n + 1, sizeof *run->finished);
    if (!run->failed || !run->finished)
        return amp_run_folder_refuse("plan", "%s", strerror(ENOMEM));
    for (size_t i = 0; i < run->plan.n; i++) {
        char path[PATH_MAX];

        path_of(run, &run->plan.items[i], path);
        run->finished[i] = i < first || access(path, F_OK) == 0;
        if (!run->finished[i])
            left[run->plan.items[i].kind]++;
    }
    for (int kind = 0; kind < AMP_KINDS; kind++)
        run->left += left[kind];
    amp_progress_begin(&run->progress, run->plan.n - run->left, left);
    return 0;
}

/* Launches that have a result: not those of a failed row, which are skipped. */
static size_t measured(const struct run *run)
{
    return run->progress.done - run->progress.unmeasured;
}

/* The disk or the system, not a row, has failed. */
static int give_up(struct run *run, int err)
{
    amp_progress_say(&run->progress,
                     "%s: stopped: %s; the %zu of %zu launches that were finished are kept, go on "
                     "with --resume %s once that is mended",
                     run->dir, strerror(-err), measured(run), run->progress.total, run->dir);
    return UNUSABLE;
}

/* A lesson was built anew: with what comes now, two builds would be in one run. */
static int stop_at(struct run *run, const struct amp_row *row)
{
    amp_progress_say(&run->progress,
                     "%s: stopped: %s was built anew while the run measured it; the %zu of %zu launches that were finished "
                     "are kept, start a new run with --out",
                     run->dir, row->lesson, measured(run), run->progress.total);
    return UNUSABLE;
}

static int start(struct run *run, const struct amp_item *item, const char *file, struct amp_outcome *out)
{
    const struct amp_row *row = run->rows.row[item->row];
    struct amp_job_argv *command;
    struct amp_process process = {
        .cpu = row->pair->threads > 0 ? -1 : run->placement.cpu,
        .environment_padding_b = item->environment_padding_b,
        .timeout_s = run->options.timeout_s,
        .memory_limit_b = run->options.memory_limit_b,
    };
    int err = amp_job_argv_make(row, item, &run->options, file, process.cpu, &command);

    if (err)
        return err;
    process.argv = command->argv;
    if (item->kind != AMP_KIND_COUNTS)
        amp_quiet_wait_core(&run->patience, process.cpu);
    err = amp_process_run(&process, out);
    amp_job_argv_free(command);
    return err;
}

/* libbenchmark neither writes whole or not at all, nor notices a full disk. */
static int publish_solo(const char *file, struct amp_outcome *outcome)
{
    char tmp[PATH_MAX + 8];
    json_error_t error;
    json_t *json;

    snprintf(tmp, sizeof tmp, "%s.tmp", file);
    json = json_load_file(tmp, 0, &error);
    json_decref(json);
    if (json)
        return amp_results_publish(file);
    outcome->ending = AMP_EXIT;
    snprintf(outcome->detail, sizeof outcome->detail, "libbenchmark's file is not whole: %.160s", error.text);
    return 0;
}

static void remove_tmp(const char *file)
{
    char tmp[PATH_MAX + 8];

    snprintf(tmp, sizeof tmp, "%s.tmp", file);
    unlink(tmp);
}

/* The row is failed: what is left of it is not run. Returns how many children that are. */
static size_t skip_row(struct run *run, size_t row)
{
    size_t skipped = 0;

    run->failed[row] = true;
    run->progress.failed++;
    for (size_t i = 0; i < run->plan.n; i++) {
        if (run->finished[i] || run->plan.items[i].row != row)
            continue;
        run->finished[i] = true;
        amp_progress_skip(&run->progress, run->plan.items[i].kind);
        skipped++;
    }
    return skipped;
}

/* To the millisecond: more digits of it mean nothing. */
static json_t *seconds(double s)
{
    return json_real((double) (long long) (s * 1000 + 0.5) / 1000);
}

/* "pass/size=8: <why>" says no more than "<why>" where the row is named beside it. */
static const char *without(const char *prefix, const char *detail)
{
    size_t n = strlen(prefix);

    return strncmp(detail, prefix, n) == 0 && strncmp(detail + n, ": ", 2) == 0 ? detail + n + 2 : detail;
}

static int note_failure(struct run *run, const struct amp_item *item, const struct amp_outcome *outcome)
{
    const struct amp_row *row = run->rows.row[item->row];
    json_t *fields = amp_journal_child(row, item);
    const char *detail;
    size_t skipped = skip_row(run, item->row);
    char name[256];

    amp_row_name(row, name, sizeof name);
    detail = without(name, outcome->detail);
    amp_progress_say(&run->progress, "%s: failed: %s: %s (%s); the other rows go on", name,
                     amp_ending_name(outcome->ending), detail, amp_kind_name(item->kind));
    if (fields)
        json_object_update_new(fields, json_pack("{s:s, s:s, s:o, s:I}", "reason", amp_ending_name(outcome->ending),
                                                 "detail", detail, "seconds", seconds(outcome->seconds), "skipped",
                                                 (json_int_t) skipped));
    return amp_journal_event(run->journal, "failed", fields);
}

static int note_done(struct run *run, const struct amp_item *item, const char *file, const struct amp_outcome *outcome)
{
    json_t *fields = amp_journal_child(run->rows.row[item->row], item);
    uint32_t crc32;

    if (fields && amp_results_crc32(file, &crc32) == 0)
        json_object_set_new(fields, "crc32", json_integer(crc32));
    if (fields)
        json_object_set_new(fields, "seconds", seconds(outcome->seconds));
    return amp_journal_event(run->journal, "done", fields);
}

static int make_folder_of(const char *file)
{
    char folder[PATH_MAX];
    int err = amp_folder_of(file, folder);

    return err ? err : amp_folder_make(folder);
}

/* One child: 0, or the exit status with which the run ends here. */
static int run_item(struct run *run, size_t i)
{
    const struct amp_item *item = &run->plan.items[i];
    const struct amp_row *row = run->rows.row[item->row];
    struct amp_outcome outcome = { .ending = AMP_DONE };
    char file[PATH_MAX], name[256];
    int err = amp_journal_event(run->journal, "start", amp_journal_child(row, item));

    path_of(run, item, file);
    amp_row_name(row, name, sizeof name);
    if (!amp_built_holds(row, run->built[item->row]))
        return stop_at(run, row);
    amp_progress_child(&run->progress, amp_kind_name(item->kind), name);
    if (!err)
        err = make_folder_of(file);
    if (!err)
        err = start(run, item, file, &outcome);
    if (!err && outcome.ending == AMP_DONE && item->kind == AMP_KIND_SOLO)
        err = publish_solo(file, &outcome);
    if (!err)
        amp_process_hold_to(file, &outcome);
    if (err || outcome.ending != AMP_DONE)
        remove_tmp(file);
    if (!err && !amp_built_holds(row, run->built[item->row])) {
        unlink(file);
        return stop_at(run, row);
    }
    if (!err && outcome.ending == AMP_INTERRUPTED)
        return INTERRUPTED;
    if (!err && outcome.ending == AMP_EXIT)
        err = amp_results_probe(run->dir, RESULT_B);
    if (err)
        return give_up(run, err);

    run->finished[i] = true;
    if (amp_looks_has(&run->options, item))
        run->extension.spent_ms += amp_looks_ms(outcome.seconds);
    amp_progress_ended(&run->progress, item->kind, outcome.ending == AMP_DONE, outcome.seconds);
    err = outcome.ending == AMP_DONE ? note_done(run, item, file, &outcome) : note_failure(run, item, &outcome);
    return err ? give_up(run, err) : 0;
}

/* The budget is spent: what is left of the plan, from `i` on all of it items of blocks, stays undone. */
static void leave_out(struct run *run, size_t i)
{
    size_t n = 0;

    for (; i < run->plan.n; i++)
        n += !run->finished[i];
    amp_progress_say(&run->progress, "the budget of %u s for further launches is spent: %zu are left out",
                     run->options.budget_s, n);
}

static int measure(struct run *run)
{
    amp_quiet_wait_begin(&run->patience, amp_clock_monotonic, run->options.quiet_ns, run->options.no_wait ? 0 : PATIENCE);
    for (size_t i = 0; i < run->plan.n; i++) {
        int status;

        if (run->finished[i])
            continue;
        if (amp_looks_has(&run->options, &run->plan.items[i]) &&
            amp_looks_is_spent(&run->extension, &run->options)) {
            leave_out(run, i);
            break;
        }
        status = amp_process_interrupted() ? INTERRUPTED : run_item(run, i);
        if (status)
            return status;
    }
    amp_quiet_wait_say(&run->patience, &run->progress);
    return run->progress.failed > 0 ? ROWS_FAILED : DONE;
}

static void warn_of_aslr(const struct run *run)
{
    const json_t *aslr = json_object_get(json_object_get(run->manifest, "machine"), "aslr");

    if (run->placement.aslr_was_off)
        fputs("ampersand: ASLR: off for this process; switched on again for its children\n", stderr);
    if (json_is_integer(aslr) && json_integer_value(aslr) == 0)
        fputs("ampersand: ASLR: switched off on this machine (kernel.randomize_va_space = 0): launches differ less "
              "from each other than they should\n",
              stderr);
}

static void warn_of_counts(const struct run *run)
{
    const char *why;

    if (run->options.counts_launches > 0 && amp_heap_available(&why))
        fprintf(stderr, "ampersand: allocations: they are not counted: %s\n", why);
}

static int end(struct run *run, int status)
{
    static const struct {
        int status;
        const char *words;
    } ends[] = { { DONE, "complete" }, { ROWS_FAILED, "failed" }, { INTERRUPTED, "interrupted" } };
    int err = 0;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends[i].status == status)
            err = amp_journal_event(run->journal, "end", json_pack("{s:s}", "status", ends[i].words));
    if (err)
        return give_up(run, err);
    if (status == INTERRUPTED)
        amp_progress_say(&run->progress,
                         "%s: interrupted: the %zu of %zu launches that were finished are kept, go on "
                         "with --resume %s",
                         run->dir, measured(run), run->progress.total, run->dir);
    else
        amp_progress_end(&run->progress);
    return status;
}

static int note_begin(struct run *run)
{
    const char *event = run->options.rows ? "extend" : run->options.resume ? "resume" : "plan";
    json_t *fields =
        run->options.rows ? amp_looks_event(&run->rows, &run->options, &run->extension) : json_object();
    char path[PATH_MAX];
    uint32_t crc32;

    snprintf(path, sizeof path, "%s/manifest.json", run->dir);
    if (!fields)
        return -ENOMEM;
    json_object_set_new(fields, "children", json_integer((json_int_t) run->left));
    if (amp_results_crc32(path, &crc32) == 0)
        json_object_set_new(fields, "manifest_crc32", json_integer(crc32));
    return amp_journal_event(run->journal, event, fields);
}

static int run_plan(struct run *run)
{
    int err = amp_process_prepare(&run->placement);

    if (err)
        return amp_run_folder_refuse("children", "they cannot be started: %s", strerror(-err));
    warn_of_aslr(run);
    warn_of_counts(run);
    err = note_begin(run);
    return err ? give_up(run, err) : end(run, measure(run));
}

int amp_launch_run(const struct amp_registry *registry, const struct amp_launch_options *options)
{
    struct run run = { .options = *options, .dir = options->resume ? options->resume : options->out };
    int status = options->resume ? begin_old(&run, registry) : begin_new(&run, registry);

    if (!status)
        status = make_plan(&run);
    if (!status)
        status = run_plan(&run);
    amp_journal_close(run.journal);
    amp_plan_free(&run.plan);
    amp_looks_free(&run.extension);
    amp_rows_free(&run.rows);
    json_decref(run.manifest);
    free(run.finished);
    free(run.failed);
    free(run.layouts);
    free(run.built);
    return status;
}
