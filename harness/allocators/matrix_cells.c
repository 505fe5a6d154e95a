/* SPDX-License-Identifier: MIT
 *
 * What is measured of a matrix, cell by cell. */
#include "harness/allocators/matrix_run.h"

#include "harness/allocators/matrix_manifest.h"
#include "harness/allocators/matrix_quiet.h"
#include "harness/allocators/provenance/provenance.h"
#include "harness/files/folder.h"
#include "harness/files/results.h"

#include <errno.h>
#include <stdio.h>

#define PATIENCE 0.15 /* of a run's time, for waiting until the core is quiet, and for measuring again */

static struct amp_configuration *configuration_of(const struct amp_matrix_run *run, size_t i)
{
    return &run->matrix.configurations.list[i];
}

/* ---- Words */

static json_t *fields_of(const struct amp_matrix_run *run, const struct amp_cell *cell)
{
    return json_pack("{s:s, s:s, s:s?, s:I}", "kind", amp_cell_kind_name(cell->kind), "configuration",
                     configuration_of(run, cell->configuration)->name, "workload",
                     cell->kind == AMP_CELL_LAUNCH ? run->matrix.workloads[cell->workload].name : NULL, "launch",
                     (json_int_t) cell->launch);
}

static void name_of(const struct amp_matrix_run *run, const struct amp_cell *cell, char *out, size_t cap)
{
    const char *configuration = configuration_of(run, cell->configuration)->name;

    if (cell->kind == AMP_CELL_LAUNCH)
        snprintf(out, cap, "%s: %s", configuration, run->matrix.workloads[cell->workload].name);
    else
        snprintf(out, cap, "%s", configuration);
}

int amp_matrix_give_up(struct amp_matrix_run *run, int err)
{
    amp_progress_say(&run->progress, "%s: stopped: %s; what was finished is kept, go on with --resume %s", run->dir,
                     strerror(-err), run->dir);
    return AMP_MATRIX_UNUSABLE;
}

/* ---- One cell */

static json_t *seconds(double s)
{
    return json_real((double) (long long) (s * 1000 + 0.5) / 1000);
}

/* Every cell of a configuration, or of a configuration and a workload: nothing of it will be measured any more. */
static void skip(struct amp_matrix_run *run, const struct amp_cell *failed)
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

static int note_failure(struct amp_matrix_run *run, const struct amp_cell *cell, const char *reason, const char *detail,
                        double s)
{
    json_t *fields = fields_of(run, cell);
    char name[256];

    name_of(run, cell, name, sizeof name);
    skip(run, cell);
    /* A configuration that nobody asked for by name, and that this machine cannot have (no huge pages, say), is no
     * failure of the run. */
    run->failed += cell->kind != AMP_CELL_PROBE || run->options.n_configs > 0 || strcmp(reason, "not in force") != 0;
    run->progress.failed++;
    amp_progress_say(&run->progress, "%s: %s: %s; all others go on", name, reason, detail);
    if (fields)
        json_object_update_new(fields,
                               json_pack("{s:s, s:s, s:o}", "reason", reason, "detail", detail, "seconds", seconds(s)));
    return amp_journal_event(run->journal, "failed", fields);
}

static int note_done(struct amp_matrix_run *run, const struct amp_cell *cell, const char *file, double s)
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
static bool had_the_same(const struct amp_matrix_run *run, const struct amp_cell *cell, const char *file)
{
    json_t *result = json_load_file(file, 0, NULL);
    bool same = json_equal(json_object_get(result, "in_force"), run->probes[cell->configuration]);

    json_decref(result);
    return same;
}

/* The facts that a probe left, judged; the file then says so. In force: its identity is kept; else *reason, which the
 * caller frees, says why not. */
static int judge(struct amp_matrix_run *run, const struct amp_cell *cell, const char *file, char **reason)
{
    const struct amp_configuration *configuration = configuration_of(run, cell->configuration);
    json_t *facts = json_load_file(file, 0, NULL), *judged = facts ? amp_provenance_judge(configuration, facts) : NULL;
    int err = 0;

    *reason = NULL;
    if (judged) {
        json_object_set_new(judged, "schema", json_string("ampersand/provenance/1"));
        json_object_set_new(judged, "configuration", json_string(configuration->name));
        err = json_equal(judged, facts) ? 0 : amp_results_write(file, judged); /* equal: a resumed run, judged before */
    }
    if (json_is_true(json_object_get(judged, "in_force")))
        run->probes[cell->configuration] = json_incref(json_object_get(judged, "identity"));
    else if (judged)
        *reason = strdup(json_string_value(json_object_get(judged, "reason")));
    else
        *reason = strdup("its probe's file cannot be read");
    json_decref(facts);
    json_decref(judged);
    return err || run->probes[cell->configuration] || *reason ? err : -ENOMEM;
}

/* A probe that has ended well: its column goes on, or ends here. */
static int note_probe(struct amp_matrix_run *run, const struct amp_cell *cell, const char *file, double s)
{
    char *reason;
    int err = judge(run, cell, file, &reason);

    if (!err)
        err = note_done(run, cell, file, s);
    if (!err && reason)
        err = note_failure(run, cell, "not in force", reason, s);
    free(reason);
    return err;
}

/* What became of a cell's child, into the journal. */
static int note(struct amp_matrix_run *run, size_t i, const char *file, const struct amp_outcome *outcome)
{
    const struct amp_cell *cell = &run->cells.list[i];

    run->finished[i] = true;
    amp_progress_ended(&run->progress, cell->kind, outcome->ending == AMP_DONE, outcome->seconds);
    if (outcome->ending != AMP_DONE)
        return note_failure(run, cell, amp_ending_name(outcome->ending), outcome->detail, outcome->seconds);
    if (cell->kind == AMP_CELL_PROBE)
        return note_probe(run, cell, file, outcome->seconds);
    if (!had_the_same(run, cell, file)) {
        unlink(file);
        return note_failure(run, cell, "not in force",
                            "this process had another allocator, or other settings, than its "
                            "probe found",
                            outcome->seconds);
    }
    return note_done(run, cell, file, outcome->seconds);
}

static int begin_cell(struct amp_matrix_run *run, const struct amp_cell *cell, char file[PATH_MAX])
{
    char name[256], folder[PATH_MAX];
    int err = amp_cell_path(&run->matrix, cell, run->dir, file);

    name_of(run, cell, name, sizeof name);
    amp_progress_child(&run->progress, amp_cell_kind_name(cell->kind), name);
    if (!err)
        err = amp_journal_event(run->journal, "start", fields_of(run, cell));
    if (!err)
        err = amp_folder_of(file, folder);
    return err ? err : amp_folder_make(folder);
}

struct child {
    struct amp_matrix_run *run;
    const struct amp_cell *cell;
};

static int attempt(void *context, const char *file, struct amp_outcome *outcome)
{
    const struct child *child = context;

    return amp_matrix_child(&child->run->launcher, child->cell, file, outcome);
}

static int run_child(struct amp_matrix_run *run, const struct amp_cell *cell, const char *file,
                     struct amp_outcome *outcome)
{
    struct child child = { run, cell };

    if (cell->kind != AMP_CELL_LAUNCH)
        return attempt(&child, file, outcome);
    return amp_matrix_quietly(&run->patience, amp_matrix_cpu(&run->launcher, cell), attempt, &child, file, outcome);
}

/* Of what was built when the run began, or it stops here: with anything else two builds would be in one run. */
static bool is_of_one_build(struct amp_matrix_run *run)
{
    json_t *now = amp_matrix_built(&run->matrix);
    bool same = json_equal(now, run->built);

    json_decref(now);
    if (!same)
        amp_progress_say(&run->progress,
                         "%s: stopped: ampersand or a lesson was built anew while the run measured it; the %zu of %zu "
                         "launches that were finished are kept, start a new run with --out",
                         run->dir, run->progress.done, run->progress.total);
    return same;
}

/* 0, or the exit status with which the run ends here. */
static int run_cell(struct amp_matrix_run *run, size_t i)
{
    struct amp_outcome outcome = { .ending = AMP_DONE };
    char file[PATH_MAX], tmp[PATH_MAX + 8];
    int err = begin_cell(run, &run->cells.list[i], file);

    if (!is_of_one_build(run))
        return AMP_MATRIX_UNUSABLE;
    if (!err)
        err = run_child(run, &run->cells.list[i], file, &outcome);
    if (!err)
        amp_process_hold_to(file, &outcome);
    if (!err && !is_of_one_build(run)) {
        unlink(file);
        return AMP_MATRIX_UNUSABLE;
    }
    if (!err && outcome.ending == AMP_INTERRUPTED)
        return AMP_MATRIX_INTERRUPTED;
    if (!err && outcome.ending != AMP_DONE) { /* its fault, or that of the disk? */
        snprintf(tmp, sizeof tmp, "%s.tmp", file);
        unlink(tmp);
        err = amp_results_probe(run->dir, AMP_MATRIX_LAUNCH_B);
    }
    if (!err)
        err = note(run, i, file, &outcome);
    return err ? amp_matrix_give_up(run, err) : 0;
}

/* A column that was wrong or absent before anything ran. */
static int leave_out(struct amp_matrix_run *run, const struct amp_cell *cell)
{
    const struct amp_configuration *configuration = configuration_of(run, cell->configuration);

    if (configuration->state == AMP_CONFIGURATION_WRONG)
        return note_failure(run, cell, "wrong", configuration->why, 0);
    skip(run, cell);
    amp_progress_say(&run->progress, "%s: left out: %s", configuration->name, configuration->why);
    return 0;
}

/* A probe of a run that is gone on with: judged again, and again its column ends here if it is not in force. */
static int look_again(struct amp_matrix_run *run, const struct amp_cell *cell)
{
    char file[PATH_MAX], *reason = NULL;
    int err = amp_cell_path(&run->matrix, cell, run->dir, file);

    if (!err)
        err = judge(run, cell, file, &reason);
    if (!err && reason)
        err = note_failure(run, cell, "not in force", reason, 0);
    free(reason);
    return err;
}

static int run_probes(struct amp_matrix_run *run)
{
    for (size_t i = 0; i < run->cells.n; i++) {
        const struct amp_cell *cell = &run->cells.list[i];
        int status = 0, err = 0;

        if (cell->kind != AMP_CELL_PROBE)
            continue;
        if (configuration_of(run, cell->configuration)->state != AMP_CONFIGURATION_READY)
            err = leave_out(run, cell);
        else if (run->finished[i])
            err = look_again(run, cell);
        else
            status = amp_process_interrupted() ? AMP_MATRIX_INTERRUPTED : run_cell(run, i);
        if (status || err)
            return status ? status : amp_matrix_give_up(run, err);
    }
    if (run->probes[0])
        return 0;
    amp_progress_say(&run->progress, "%s: without it there is nothing to divide by: --baseline names another",
                     configuration_of(run, 0)->name);
    return AMP_MATRIX_UNUSABLE;
}

/* ---- The rest */

static int run_launches(struct amp_matrix_run *run)
{
    amp_quiet_wait_begin(&run->patience, amp_clock_monotonic, run->options.quiet_ns, run->options.no_wait ? 0 : PATIENCE);
    for (size_t i = 0; i < run->cells.n; i++) {
        int status;

        if (run->finished[i] || run->cells.list[i].kind != AMP_CELL_LAUNCH)
            continue;
        status = amp_process_interrupted() ? AMP_MATRIX_INTERRUPTED : run_cell(run, i);
        if (status)
            return status;
    }
    amp_quiet_wait_say(&run->patience, &run->progress);
    return 0;
}

/* Timelines lie one behind the other in the plan. */
static int run_timelines(struct amp_matrix_run *run)
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
        err = amp_cell_path(&run->matrix, &cells[i], run->dir, file);
        if (!err)
            amp_process_hold_to(file, &outcomes[i]);
        if (outcomes[i].ending == AMP_INTERRUPTED && amp_process_interrupted())
            status = AMP_MATRIX_INTERRUPTED;
        if (outcomes[i].ending == AMP_INTERRUPTED || run->finished[index[i]]) /* finished: an earlier one failed */
            continue;
        if (!err)
            err = note(run, index[i], file, &outcomes[i]);
    }
    free(cells);
    free(index);
    free(outcomes);
    return err ? amp_matrix_give_up(run, err) : status;
}

static int hold_to_build(struct amp_matrix_run *run)
{
    return is_of_one_build(run) ? 0 : AMP_MATRIX_UNUSABLE;
}

int amp_matrix_measure(struct amp_matrix_run *run)
{
    static int (*const steps[])(struct amp_matrix_run *) = { run_probes, run_launches, hold_to_build, run_timelines };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int status = steps[i](run);

        if (status)
            return status;
    }
    return run->failed > 0 ? AMP_MATRIX_FAILED : AMP_MATRIX_DONE;
}
