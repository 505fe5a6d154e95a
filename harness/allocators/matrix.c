/* SPDX-License-Identifier: MIT
 *
 *   probes -----> provenance/: in force, or the column ends here with its reason
 *   blocks -----> launches/    a cell that fails is not tried again; all others go on
 *   timelines --> timelines/   many at once
 *
 * As in launch.c, a result file that is there is done: the journal tells what happened, the files hold it. */
#include "harness/allocators/matrix_run.h"

#include "harness/allocators/matrix_manifest.h"
#include "harness/allocators/provenance/provenance.h"
#include "harness/bench/manifest.h"
#include "harness/files/results.h"
#include "harness/files/run_folder.h"
#include "harness/measure/sensor.h"

#include <errno.h>
#include <stdio.h>

/* ---- The folder */

static int make_matrix(struct amp_matrix_run *run, const struct amp_registry *registry)
{
    const char *what = "", *why = "";

    if (amp_matrix_make(registry, &run->options, &run->matrix, &what, &why))
        return amp_run_folder_refuse(what, "%s", why);
    run->built = amp_matrix_built(&run->matrix);
    return 0;
}

static int begin_new(struct amp_matrix_run *run, const struct amp_registry *registry)
{
    int status = make_matrix(run, registry);
    size_t cells;

    if (status)
        return status;
    run->options.quiet_ns = amp_sensor_calibrate(amp_clock_monotonic, AMP_CALIBRATE_NS);
    run->manifest = amp_matrix_manifest(&run->matrix, &run->options);
    if (!run->manifest)
        return amp_run_folder_refuse("manifest", "it cannot be put into JSON");
    cells = run->matrix.configurations.n *
            (run->matrix.n_workloads * run->options.launches + run->options.timeline_launches + 1);
    return amp_run_folder_new(run->dir, cells * AMP_MATRIX_LAUNCH_B, run->manifest, &run->journal);
}

/* A configuration's numbers before and after its library was replaced are of two allocators. */
static int refuse_replaced_libraries(const struct amp_matrix_run *run)
{
    int status = 0;

    for (size_t i = 0; i < run->matrix.configurations.n && !status; i++) {
        const struct amp_cell probe = { .kind = AMP_CELL_PROBE, .configuration = i };
        char file[PATH_MAX];
        json_t *judged = amp_cell_path(&run->matrix, &probe, run->dir, file) ? NULL : json_load_file(file, 0, NULL);
        const char *replaced = judged ? amp_provenance_replaced(judged) : NULL; /* NULL: it was not probed yet */

        if (replaced)
            status = amp_run_folder_refuse(run->dir, "%s: %s was replaced since the run began; start a new one with --out",
                                      run->matrix.configurations.list[i].name, replaced);
        json_decref(judged);
    }
    return status;
}

static int begin_old(struct amp_matrix_run *run, const struct amp_registry *registry)
{
    const char *why = "", *differs;
    json_t *now;
    int status = amp_run_folder_look(run->dir);

    if (status)
        return status;
    run->manifest = amp_manifest_load(run->dir, "ampersand/allocators/1", &why);
    if (!run->manifest || amp_matrix_restore(run->manifest, &run->options, &why))
        return amp_run_folder_refuse(run->dir, "manifest.json: %s", why);
    status = make_matrix(run, registry);
    if (status)
        return status;
    now = amp_matrix_manifest(&run->matrix, &run->options);
    if (!now)
        return amp_run_folder_refuse("manifest", "it cannot be put into JSON");
    differs = amp_matrix_differ(run->manifest, now);
    json_decref(now);
    if (differs)
        return amp_run_folder_refuse(run->dir, "%s: not the same as when the run began; start a new one with --out",
                                differs);
    status = refuse_replaced_libraries(run);
    return status ? status : amp_run_folder_old(run->dir, &run->journal);
}

static int make_plan(struct amp_matrix_run *run)
{
    size_t left[AMP_KINDS] = { 0 }, n = 0;

    run->launcher.matrix = &run->matrix;
    run->launcher.options = &run->options;
    if (amp_matrix_program(run->launcher.program))
        return amp_run_folder_refuse(run->launcher.program, "%s: build again", strerror(errno));
    if (amp_cells_make(&run->matrix, &run->options, &run->cells))
        return amp_run_folder_refuse("plan", "%s", strerror(ENOMEM));
    run->finished = calloc(run->cells.n + 1, sizeof *run->finished);
    run->probes = calloc(run->matrix.configurations.n + 1, sizeof *run->probes);
    if (!run->finished || !run->probes)
        return amp_run_folder_refuse("plan", "%s", strerror(ENOMEM));
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

static int end(struct amp_matrix_run *run, int status)
{
    const char *words = status == AMP_MATRIX_DONE ? "complete" : status == AMP_MATRIX_FAILED ? "failed" : "interrupted";
    int err =
        status == AMP_MATRIX_UNUSABLE ? 0 : amp_journal_event(run->journal, "end", json_pack("{s:s}", "status", words));

    if (err)
        return amp_matrix_give_up(run, err);
    if (status == AMP_MATRIX_INTERRUPTED)
        amp_progress_say(&run->progress, "%s: interrupted: what was finished is kept, go on with --resume %s", run->dir,
                         run->dir);
    else
        amp_progress_end(&run->progress);
    return status;
}

static int run_plan(struct amp_matrix_run *run)
{
    struct amp_placement placement;
    char path[PATH_MAX];
    uint32_t crc32 = 0;
    bool is_alone = amp_process_cpus() == 1;
    int err = amp_process_prepare(&placement);

    if (err)
        return amp_run_folder_refuse("children", "they cannot be started: %s", strerror(-err));
    if (is_alone)
        fputs("ampersand: CPUs: this process may use one only (taskset, a cpuset): a workload's threads take turns on it\n",
              stderr);
    run->launcher.cpu = placement.cpu;
    snprintf(path, sizeof path, "%s/manifest.json", run->dir);
    err = amp_results_crc32(path, &crc32);
    if (!err)
        err = amp_journal_event(run->journal, run->options.resume ? "resume" : "plan",
                                json_pack("{s:I, s:I}", "children",
                                          (json_int_t) (run->progress.total - run->progress.done), "manifest_crc32",
                                          (json_int_t) crc32));
    return err ? amp_matrix_give_up(run, err) : end(run, amp_matrix_measure(run));
}

int amp_matrix_run(const struct amp_registry *registry, const struct amp_matrix_options *options)
{
    struct amp_matrix_run run = { .options = *options, .dir = options->resume ? options->resume : options->out };
    int status = options->resume ? begin_old(&run, registry) : begin_new(&run, registry);

    if (!status)
        status = make_plan(&run);
    if (!status)
        status = run_plan(&run);
    amp_journal_close(run.journal);
    for (size_t i = 0; run.probes && i < run.matrix.configurations.n; i++)
        json_decref(run.probes[i]);
    json_decref(run.built);
    free(run.probes);
    free(run.finished);
    free(run.cells.list);
    amp_matrix_free(&run.matrix);
    json_decref(run.manifest);
    return status;
}
