/* SPDX-License-Identifier: MIT
 *
 * The functions by which the run engine (run/job.h) does a run of a matrix.
 *
 *   probes -----> provenance/: in force, or the column ends here with its reason
 *   blocks -----> launches/
 *   timelines --> timelines/   many at once */
#include "harness/allocators/matrix.h"

#include "harness/allocators/matrix_accept.h"
#include "harness/allocators/matrix_jobs.h"
#include "harness/allocators/matrix_manifest.h"
#include "harness/allocators/provenance/provenance.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <stdio.h>

#define LAUNCH_B 16384 /* a launch's file, with its lines in the journal */

struct matrix_run {
    struct amp_matrix_options options;
    const char *dir;
    const struct amp_registry *registry;
    struct amp_matrix matrix;
    json_t **probes; /* of each configuration: the "identity" of what is in force; NULL: do not measure it */
    json_t *built;   /* when the run began */
    char program[PATH_MAX];
};

static int restore(void *context, const json_t *manifest, const char **why)
{
    struct matrix_run *run = context;

    return amp_matrix_restore(manifest, &run->options, why);
}

static int choose(void *context)
{
    struct matrix_run *run = context;
    const char *what = "", *why = "";

    if (amp_matrix_make(run->registry, &run->options, &run->matrix, &what, &why))
        return amp_complain(AMP_RUN_UNUSABLE, what, "%s", why);
    run->built = amp_matrix_built(&run->matrix);
    return 0;
}

static json_t *manifest(void *context, const char **why)
{
    struct matrix_run *run = context;

    *why = "it cannot be put into JSON";
    return amp_matrix_manifest(&run->matrix, &run->options);
}

/* If its library was replaced, a configuration's numbers before and after belong to two allocators. */
static const char *replaced(void *context)
{
    const struct matrix_run *run = context;
    static char words[2 * PATH_MAX];

    words[0] = '\0';
    for (size_t i = 0; i < run->matrix.configurations.n && !words[0]; i++) {
        const struct amp_configuration *configuration = &run->matrix.configurations.list[i];
        char file[PATH_MAX];
        const char *library;
        json_t *judged;

        amp_matrix_probe(run->dir, configuration, file);
        judged = json_load_file(file, 0, NULL);
        library = judged ? amp_provenance_replaced(judged) : NULL; /* NULL: it was not probed yet */
        if (library)
            snprintf(words, sizeof words, "%s: %s", configuration->name, library);
        json_decref(judged);
    }
    return words[0] ? words : NULL;
}

static uint64_t need_b(const void *context)
{
    const struct matrix_run *run = context;

    return amp_matrix_size(&run->matrix, &run->options) * LAUNCH_B;
}

static int make(void *context, int cpu, struct amp_jobs *out)
{
    struct matrix_run *run = context;
    const struct amp_matrix_plan plan = { .dir = run->dir, .program = run->program, .cpu = cpu };

    if (amp_matrix_program(run->program))
        return amp_complain(AMP_RUN_UNUSABLE, run->program, "%s: build again", strerror(errno));
    if (cpu < 0)
        amp_complain(0, "CPUs",
                     "this process may use one only (taskset, a cpuset): a workload's threads take turns on it");
    amp_matrix_jobs(&run->matrix, &run->options, &plan, out);
    run->probes = calloc(run->matrix.configurations.n + 1, sizeof *run->probes);
    out->no_memory = out->no_memory || !run->probes;
    return 0;
}

/* A probe's outcome. What nobody asked for by name and this machine cannot have (no huge pages, say) is no failure of
 * the run; the baseline is needed in any case. */
static void weigh(const struct matrix_run *run, const struct amp_job *job, struct amp_outcome *outcome)
{
    outcome->excused = run->options.n_configs == 0 && outcome->reason && strcmp(outcome->reason, "not in force") == 0;
    if (job->within == 0 && !run->probes[0])
        outcome->ends_run = "without it there is nothing to divide by: --baseline names another";
}

/* A wrong or absent column ends before anything runs. One that was probed before is judged again. */
static int turn(void *context, const struct amp_job *job, size_t left, struct amp_outcome *out)
{
    struct matrix_run *run = context;
    const struct amp_configuration *configuration = &run->matrix.configurations.list[job->within];
    enum amp_turn turn = AMP_TURN_GO;

    (void) left;
    if (job->kind != AMP_CELL_PROBE)
        return AMP_TURN_GO;
    if (configuration->state != AMP_CONFIGURATION_READY) {
        turn = configuration->state == AMP_CONFIGURATION_WRONG ? AMP_TURN_FAIL : AMP_TURN_LEAVE_OUT;
        out->reason = "wrong";
        snprintf(out->detail, sizeof out->detail, "%s", configuration->why);
    } else if (job->state == AMP_JOB_DONE) {
        int err = amp_matrix_judge(configuration, job->file, &run->probes[job->within], out);

        if (err)
            return err;
        turn = run->probes[job->within] ? AMP_TURN_GO : AMP_TURN_FAIL;
    }
    if (turn != AMP_TURN_GO)
        weigh(run, job, out);
    return turn;
}

/* The run must not mix two builds. */
static const char *rebuilt(void *context, const struct amp_job *job)
{
    struct matrix_run *run = context;
    json_t *now = amp_matrix_built(&run->matrix);
    bool same = json_equal(now, run->built);

    (void) job;
    json_decref(now);
    return same ? NULL : "ampersand or a lesson";
}

static int accept(void *context, const struct amp_job *job, struct amp_outcome *outcome)
{
    struct matrix_run *run = context;
    int err = 0;

    if (outcome->ending == AMP_DONE && job->kind == AMP_CELL_PROBE)
        err = amp_matrix_judge(&run->matrix.configurations.list[job->within], job->file, &run->probes[job->within],
                               outcome);
    else if (outcome->ending == AMP_DONE)
        amp_matrix_hold_to_probe(run->probes[job->within], job->file, outcome);
    if (!err && job->kind == AMP_CELL_PROBE)
        weigh(run, job, outcome);
    return err;
}

static const struct amp_manifest_part parts[] = {
    { "workloads", NULL, "the workloads" },
    { "configurations", NULL, "the configurations" },
    { 0 },
};

int amp_matrix_run(const struct amp_registry *registry, const struct amp_matrix_options *options)
{
    static const struct amp_run_verb verb = {
        .schema = "ampersand/allocators/1",
        .parts = parts,
        .patience = 0.15,
        .restore = restore,
        .choose = choose,
        .manifest = manifest,
        .replaced = replaced,
        .need_b = need_b,
        .make = make,
        .turn = turn,
        .rebuilt = rebuilt,
        .is_disturbed = amp_matrix_is_disturbed,
        .accept = accept,
    };
    struct matrix_run run = { .options = *options,
                              .dir = options->resume ? options->resume : options->out,
                              .registry = registry };
    const struct amp_run_request request = { .dir = run.dir,
                                             .resume = options->resume != NULL,
                                             .no_wait = &run.options.no_wait,
                                             .quiet_ns = &run.options.quiet_ns };
    int status = amp_run(&verb, &run, &request);

    for (size_t i = 0; run.probes && i < run.matrix.configurations.n; i++)
        json_decref(run.probes[i]);
    json_decref(run.built);
    free(run.probes);
    amp_matrix_free(&run.matrix);
    return status;
}
