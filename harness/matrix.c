/* SPDX-License-Identifier: MIT
 *
 *   probes -----> provenance/: in force, or the column ends here with its reason
 *   blocks -----> launches/    a cell that fails is not tried again; all others go on
 *   timelines --> timelines/   many at once
 *
 * As in launch.c, a result file that is there is done: the journal tells what happened, the files hold it. */
#include "harness/matrix.h"

#include "harness/journal.h"
#include "harness/manifest.h"
#include "harness/matrix_child.h"
#include "harness/matrix_manifest.h"
#include "harness/progress.h"
#include "harness/provenance.h"
#include "harness/results.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { DONE = 0, CELLS_FAILED = 1, UNUSABLE = 2, INTERRUPTED = 130 };

#define LAUNCH_B 8192 /* a launch's file, with its lines in the journal */

struct run {
    struct amp_matrix_options options;
    const char *dir;
    struct amp_matrix matrix;
    struct amp_cells cells;
    bool *finished;  /* cells: nothing left to do */
    json_t **probes; /* configurations: "identity" of what is in force; NULL: nothing may be measured under it */
    size_t failed;   /* columns and cells */
    json_t *manifest;
    struct amp_journal *journal;
    struct amp_matrix_launcher launcher;
    struct amp_progress progress;
};

__attribute__((format(printf, 2, 3))) static int refuse(const char *what, const char *why, ...)
{
    va_list arguments;

    va_start(arguments, why);
    fprintf(stderr, "ampersand: %s: ", what);
    vfprintf(stderr, why, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    return UNUSABLE;
}

static struct amp_configuration *configuration_of(const struct run *run, size_t i)
{
    return &run->matrix.configurations.list[i];
}

/* ---- The folder */

static int lock(struct run *run)
{
    int err = amp_journal_open(run->dir, &run->journal);

    if (err == -EWOULDBLOCK)
        return refuse(run->dir, "another ampersand is writing this run");
    return err ? refuse(run->dir, "%s", strerror(-err)) : 0;
}

static int make_matrix(struct run *run, const struct amp_registry *registry)
{
    const char *what = "", *why = "";

    return amp_matrix_make(registry, &run->options, &run->matrix, &what, &why) ? refuse(what, "%s", why) : 0;
}

static int begin_new(struct run *run, const struct amp_registry *registry)
{
    const char *why = "";
    char path[PATH_MAX];
    size_t cells;
    int status = make_matrix(run, registry), err;

    if (status)
        return status;
    run->manifest = amp_matrix_manifest(&run->matrix, &run->options);
    if (!run->manifest)
        return refuse("manifest", "it cannot be put into JSON");
    cells = run->matrix.configurations.n * (run->matrix.n_workloads * run->options.launches + 8);
    err = amp_results_prepare(run->dir, cells * LAUNCH_B, &why);
    if (err)
        return refuse(run->dir, "%s", why);
    status = lock(run);
    if (status)
        return status;
    snprintf(path, sizeof path, "%s/manifest.json", run->dir);
    if (access(path, F_OK) == 0) /* another run was quicker than our lock */
        return refuse(run->dir, "it holds a run already");
    err = amp_results_write(path, run->manifest);
    return err ? refuse(path, "%s", strerror(-err)) : 0;
}

static int begin_old(struct run *run, const struct amp_registry *registry)
{
    const char *why = "", *differs;
    json_t *now;
    int status, err;

    run->manifest = amp_manifest_load(run->dir, "ampersand/allocators/1", &why);
    if (!run->manifest || amp_matrix_restore(run->manifest, &run->options, &why))
        return refuse(run->dir, "manifest.json: %s", why);
    status = make_matrix(run, registry);
    if (status)
        return status;
    now = amp_matrix_manifest(&run->matrix, &run->options);
    if (!now)
        return refuse("manifest", "it cannot be put into JSON");
    differs = amp_matrix_differ(run->manifest, now);
    json_decref(now);
    if (differs)
        return refuse(run->dir, "%s: not the same as when the run began; start a new one with --out", differs);
    status = lock(run);
    if (status)
        return status;
    err = amp_results_clean(run->dir);
    return err ? refuse(run->dir, "%s", strerror(-err)) : 0;
}

/* ---- Words */

static json_t *fields_of(const struct run *run, const struct amp_cell *cell)
{
    return json_pack("{s:s, s:s, s:s?, s:I}", "kind", amp_cell_kind_name(cell->kind), "configuration",
                     configuration_of(run, cell->configuration)->name, "workload",
                     cell->kind == AMP_CELL_LAUNCH ? run->matrix.workloads[cell->workload].name : NULL, "launch",
                     (json_int_t) cell->launch);
}

static void name_of(const struct run *run, const struct amp_cell *cell, char *out, size_t cap)
{
    const char *configuration = configuration_of(run, cell->configuration)->name;

    if (cell->kind == AMP_CELL_LAUNCH)
        snprintf(out, cap, "%s: %s", configuration, run->matrix.workloads[cell->workload].name);
    else
        snprintf(out, cap, "%s", configuration);
}

static int give_up(struct run *run, int err)
{
    amp_progress_say(&run->progress, "%s: stopped: %s; what was finished is kept, go on with --resume %s", run->dir,
                     strerror(-err), run->dir);
    return UNUSABLE;
}

/* ---- One cell */

static json_t *seconds(double s)
{
    return json_real((double) (long long) (s * 1000 + 0.5) / 1000);
}

/* Every cell of a configuration, or of a configuration and a workload: nothing of it will be measured any more. */
static void skip(struct run *run, const struct amp_cell *failed)
{
    for (size_t i = 0; i < run->cells.n; i++) {
        const struct amp_cell *cell = &run->cells.list[i];
        bool same = failed->kind == AMP_CELL_PROBE || cell->kind == failed->kind;

        if (run->finished[i] || cell->configuration != failed->configuration || !same ||
            (failed->kind == AMP_CELL_LAUNCH && cell->workload != failed->workload))
            continue;
        run->finished[i] = true;
        amp_progress_skip(&run->progress, cell->kind);
    }
}

static int note_failure(struct run *run, const struct amp_cell *cell, const char *reason, const char *detail, double s)
{
    json_t *fields = fields_of(run, cell);
    char name[256];

    name_of(run, cell, name, sizeof name);
    skip(run, cell);
    run->failed++;
    run->progress.failed++;
    amp_progress_say(&run->progress, "%s: %s: %s; all others go on", name, reason, detail);
    if (fields)
        json_object_update_new(fields,
                               json_pack("{s:s, s:s, s:o}", "reason", reason, "detail", detail, "seconds", seconds(s)));
    return amp_journal_event(run->journal, "failed", fields);
}

static int note_done(struct run *run, const struct amp_cell *cell, const char *file, double s)
{
    json_t *fields = fields_of(run, cell);
    uint32_t crc32;

    if (fields && amp_results_crc32(file, &crc32) == 0)
        json_object_set_new(fields, "crc32", json_integer(crc32));
    if (fields)
        json_object_set_new(fields, "seconds", seconds(s));
    return amp_journal_event(run->journal, "done", fields);
}

/* Whether the child of a result had the very allocator and settings that the probe found in force. */
static bool had_the_same(const struct run *run, const struct amp_cell *cell, const char *file)
{
    json_t *result = json_load_file(file, 0, NULL);
    bool same = json_equal(json_object_get(result, "in_force"), run->probes[cell->configuration]);

    json_decref(result);
    return same;
}

/* What became of a cell's child, into the journal. */
static int note(struct run *run, size_t i, const char *file, struct amp_outcome *outcome)
{
    const struct amp_cell *cell = &run->cells.list[i];

    run->finished[i] = true;
    amp_progress_ended(&run->progress, cell->kind, outcome->ending == AMP_DONE, outcome->seconds);
    if (outcome->ending == AMP_DONE && access(file, F_OK)) {
        outcome->ending = AMP_EXIT;
        snprintf(outcome->detail, sizeof outcome->detail, "it ended without a result");
    }
    if (outcome->ending != AMP_DONE)
        return note_failure(run, cell, amp_ending_name(outcome->ending), outcome->detail, outcome->seconds);
    if (cell->kind != AMP_CELL_PROBE && !had_the_same(run, cell, file)) {
        unlink(file);
        return note_failure(run, cell, "not in force", "this process had another allocator, or other settings, than its "
                            "probe found", outcome->seconds);
    }
    return note_done(run, cell, file, outcome->seconds);
}

static int begin_cell(struct run *run, const struct amp_cell *cell, char file[PATH_MAX])
{
    char name[256], folder[PATH_MAX];
    int err = amp_cell_path(&run->matrix, cell, run->dir, file);

    name_of(run, cell, name, sizeof name);
    amp_progress_child(&run->progress, amp_cell_kind_name(cell->kind), name);
    if (!err)
        err = amp_journal_event(run->journal, "start", fields_of(run, cell));
    if (!err)
        err = amp_results_folder_of(file, folder);
    return err ? err : amp_results_make_folder(folder);
}

/* 0, or the exit status with which the run ends here. */
static int run_cell(struct run *run, size_t i)
{
    struct amp_outcome outcome = { .ending = AMP_DONE };
    char file[PATH_MAX], tmp[PATH_MAX + 8];
    int err = begin_cell(run, &run->cells.list[i], file);

    if (!err)
        err = amp_matrix_child(&run->launcher, &run->cells.list[i], file, &outcome);
    if (!err && outcome.ending == AMP_INTERRUPTED)
        return INTERRUPTED;
    if (!err && outcome.ending != AMP_DONE) { /* its fault, or that of the disk? */
        snprintf(tmp, sizeof tmp, "%s.tmp", file);
        unlink(tmp);
        err = amp_results_probe(run->dir, LAUNCH_B);
    }
    if (!err)
        err = note(run, i, file, &outcome);
    return err ? give_up(run, err) : 0;
}

/* ---- Probes */

/* The facts that a probe left, judged; the file then says so. In force: its identity is kept. */
static int judge(struct run *run, size_t i)
{
    const struct amp_cell *cell = &run->cells.list[i];
    const struct amp_configuration *configuration = configuration_of(run, cell->configuration);
    char file[PATH_MAX];
    json_t *facts, *judged;
    int err = amp_cell_path(&run->matrix, cell, run->dir, file);

    if (err || access(file, F_OK))
        return err;
    facts = json_load_file(file, 0, NULL);
    judged = facts ? amp_provenance_judge(configuration, facts) : NULL;
    json_decref(facts);
    if (!judged)
        return note_failure(run, cell, "exit", "its probe's file cannot be read", 0);
    json_object_set_new(judged, "schema", json_string("ampersand/provenance/1"));
    json_object_set_new(judged, "configuration", json_string(configuration->name));
    err = amp_results_write(file, judged);
    if (!err && json_is_true(json_object_get(judged, "in_force")))
        run->probes[cell->configuration] = json_incref(json_object_get(judged, "identity"));
    else if (!err)
        err = note_failure(run, cell, "not in force", json_string_value(json_object_get(judged, "reason")), 0);
    json_decref(judged);
    return err;
}

/* A column that was wrong or absent before anything ran. */
static int leave_out(struct run *run, const struct amp_cell *cell)
{
    const struct amp_configuration *configuration = configuration_of(run, cell->configuration);

    if (configuration->state == AMP_CONFIGURATION_WRONG)
        return note_failure(run, cell, "wrong", configuration->why, 0);
    skip(run, cell);
    amp_progress_say(&run->progress, "%s: left out: %s", configuration->name, configuration->why);
    return 0;
}

static int run_probes(struct run *run)
{
    for (size_t i = 0; i < run->cells.n; i++) {
        const struct amp_cell *cell = &run->cells.list[i];
        int status = 0, err = 0;

        if (cell->kind != AMP_CELL_PROBE)
            continue;
        if (configuration_of(run, cell->configuration)->state != AMP_CONFIGURATION_READY)
            err = leave_out(run, cell);
        else if (!run->finished[i])
            status = amp_process_interrupted() ? INTERRUPTED : run_cell(run, i);
        if (!err && !status)
            err = judge(run, i);
        if (status || err)
            return status ? status : give_up(run, err);
    }
    return 0;
}

/* ---- The rest */

static int run_launches(struct run *run)
{
    for (size_t i = 0; i < run->cells.n; i++) {
        int status;

        if (run->finished[i] || run->cells.list[i].kind != AMP_CELL_LAUNCH)
            continue;
        status = amp_process_interrupted() ? INTERRUPTED : run_cell(run, i);
        if (status)
            return status;
    }
    return 0;
}

/* Timelines lie one behind the other in the plan. */
static int run_timelines(struct run *run)
{
    struct amp_cell *cells = calloc(run->cells.n + 1, sizeof *cells);
    size_t *index = calloc(run->cells.n + 1, sizeof *index), n = 0;
    struct amp_outcome *outcomes = calloc(run->cells.n + 1, sizeof *outcomes);
    int err = cells && index && outcomes ? 0 : -ENOMEM, status = 0;
    char file[PATH_MAX];

    for (size_t i = 0; i < run->cells.n && !err; i++)
        if (!run->finished[i] && run->cells.list[i].kind == AMP_CELL_TIMELINE) {
            cells[n] = run->cells.list[i];
            index[n++] = i;
            err = begin_cell(run, &run->cells.list[i], file);
        }
    if (!err && n > 0)
        err = amp_matrix_children(&run->launcher, cells, n, run->dir, outcomes);
    for (size_t i = 0; i < n && !err; i++) {
        if (outcomes[i].ending == AMP_INTERRUPTED)
            status = INTERRUPTED;
        if (outcomes[i].ending == AMP_INTERRUPTED || run->finished[index[i]]) /* finished: an earlier one failed */
            continue;
        err = amp_cell_path(&run->matrix, &cells[i], run->dir, file);
        if (!err)
            err = note(run, index[i], file, &outcomes[i]);
    }
    free(cells);
    free(index);
    free(outcomes);
    return err ? give_up(run, err) : status;
}

static int make_plan(struct run *run)
{
    size_t left[AMP_KINDS] = { 0 }, n = 0;

    run->launcher.matrix = &run->matrix;
    run->launcher.options = &run->options;
    if (amp_matrix_program(run->launcher.program))
        return refuse(run->launcher.program, "%s: build again", strerror(errno));
    if (amp_cells_make(&run->matrix, &run->options, &run->cells))
        return refuse("plan", "%s", strerror(ENOMEM));
    run->finished = calloc(run->cells.n + 1, sizeof *run->finished);
    run->probes = calloc(run->matrix.configurations.n + 1, sizeof *run->probes);
    if (!run->finished || !run->probes)
        return refuse("plan", "%s", strerror(ENOMEM));
    for (size_t i = 0; i < run->cells.n; i++) {
        char file[PATH_MAX];

        run->finished[i] =
            amp_cell_path(&run->matrix, &run->cells.list[i], run->dir, file) == 0 && access(file, F_OK) == 0;
        n += run->finished[i];
        left[run->cells.list[i].kind] += !run->finished[i];
    }
    amp_progress_begin(&run->progress, n, left);
    return 0;
}

static int measure(struct run *run)
{
    static int (*const steps[])(struct run *) = { run_probes, run_launches, run_timelines };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int status = steps[i](run);

        if (status)
            return status;
    }
    return run->failed > 0 ? CELLS_FAILED : DONE;
}

static int end(struct run *run, int status)
{
    const char *words = status == DONE ? "complete" : status == CELLS_FAILED ? "failed" : "interrupted";
    int err = status == UNUSABLE ? 0 : amp_journal_event(run->journal, "end", json_pack("{s:s}", "status", words));

    if (err)
        return give_up(run, err);
    if (status == INTERRUPTED)
        amp_progress_say(&run->progress, "%s: interrupted: what was finished is kept, go on with --resume %s", run->dir,
                         run->dir);
    else
        amp_progress_end(&run->progress);
    return status;
}

static int run_plan(struct run *run)
{
    struct amp_placement placement;
    char path[PATH_MAX];
    uint32_t crc32 = 0;
    int err = amp_process_prepare(&placement);

    if (err)
        return refuse("children", "they cannot be started: %s", strerror(-err));
    run->launcher.cpu = placement.cpu;
    snprintf(path, sizeof path, "%s/manifest.json", run->dir);
    err = amp_results_crc32(path, &crc32);
    if (!err)
        err = amp_journal_event(run->journal, run->options.resume ? "resume" : "plan",
                                json_pack("{s:I, s:I}", "children",
                                          (json_int_t) (run->progress.total - run->progress.done), "manifest_crc32",
                                          (json_int_t) crc32));
    return err ? give_up(run, err) : end(run, measure(run));
}

int amp_matrix_run(const struct amp_registry *registry, const struct amp_matrix_options *options)
{
    struct run run = { .options = *options, .dir = options->resume ? options->resume : options->out };
    int status = options->resume ? begin_old(&run, registry) : begin_new(&run, registry);

    if (!status)
        status = make_plan(&run);
    if (!status)
        status = run_plan(&run);
    amp_journal_close(run.journal);
    for (size_t i = 0; run.probes && i < run.matrix.configurations.n; i++)
        json_decref(run.probes[i]);
    free(run.probes);
    free(run.finished);
    free(run.cells.list);
    amp_matrix_free(&run.matrix);
    json_decref(run.manifest);
    return status;
}
