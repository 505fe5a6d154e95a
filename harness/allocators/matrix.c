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

struct allocators {
    struct amp_matrix_options options;
    const char *dir;
    const struct amp_registry *registry;
    struct amp_matrix matrix;
    json_t **probes; /* of each configuration: the "identity" of what is in force; NULL: do not measure it */
    json_t *built;   /* when the run began */
    char program[PATH_MAX];
};

static int restore(void *run, const json_t *manifest, const char **why)
{
    struct allocators *allocators = run;

    return amp_matrix_restore(manifest, &allocators->options, why);
}

static int choose(void *run)
{
    struct allocators *allocators = run;
    const char *what = "", *why = "";

    if (amp_matrix_make(allocators->registry, &allocators->options, &allocators->matrix, &what, &why))
        return amp_complain(AMP_RUN_UNUSABLE, what, "%s", why);
    allocators->built = amp_matrix_built(&allocators->matrix);
    return 0;
}

static json_t *manifest(void *run, const char **why)
{
    struct allocators *allocators = run;

    *why = "it cannot be put into JSON";
    return amp_matrix_manifest(&allocators->matrix, &allocators->options);
}

/* If its library was replaced, a configuration's numbers before and after belong to two allocators. */
static const char *replaced(void *run)
{
    const struct allocators *allocators = run;
    static char words[2 * PATH_MAX];

    words[0] = '\0';
    for (size_t i = 0; i < allocators->matrix.configurations.n && !words[0]; i++) {
        const struct amp_configuration *configuration = &allocators->matrix.configurations.list[i];
        char file[PATH_MAX];
        const char *library;
        json_t *judged;

        amp_matrix_probe(allocators->dir, configuration, file);
        judged = json_load_file(file, 0, NULL);
        library = judged ? amp_provenance_replaced(judged) : NULL; /* NULL: it was not probed yet */
        if (library)
            snprintf(words, sizeof words, "%s: %s", configuration->name, library);
        json_decref(judged);
    }
    return words[0] ? words : NULL;
}

static uint64_t need_b(const void *run)
{
    const struct allocators *allocators = run;

    return amp_matrix_size(&allocators->matrix, &allocators->options) * LAUNCH_B;
}

static int make(void *run, int cpu, struct amp_jobs *out)
{
    struct allocators *allocators = run;
    const struct amp_matrix_plan plan = { .dir = allocators->dir, .program = allocators->program, .cpu = cpu };

    if (amp_matrix_program(allocators->program))
        return amp_complain(AMP_RUN_UNUSABLE, allocators->program, "%s: build again", strerror(errno));
    if (cpu < 0)
        amp_complain(0, "CPUs",
                     "this process may use one only (taskset, a cpuset): a workload's threads take turns on it");
    amp_matrix_jobs(&allocators->matrix, &allocators->options, &plan, out);
    allocators->probes = calloc(allocators->matrix.configurations.n + 1, sizeof *allocators->probes);
    out->no_memory = out->no_memory || !allocators->probes;
    return 0;
}

/* A probe's outcome. What nobody asked for by name and this machine cannot have (no huge pages, say) is no failure of
 * the run; the baseline is needed in any case. */
static void weigh(const struct allocators *allocators, const struct amp_job *job, struct amp_outcome *outcome)
{
    bool asked = allocators->options.n_configs > 0;

    outcome->excused = !asked && outcome->reason && strcmp(outcome->reason, "not in force") == 0;
    if (job->within == 0 && !allocators->probes[0])
        outcome->ends_run = "without it there is nothing to divide by: --baseline names another";
}

/* A wrong or absent column ends before anything runs. One that was probed before is judged again. */
static int turn(void *run, const struct amp_job *job, size_t left, struct amp_outcome *out)
{
    struct allocators *allocators = run;
    const struct amp_configuration *configuration = &allocators->matrix.configurations.list[job->within];
    int turn = AMP_TURN_GO;

    (void) left;
    if (job->kind != AMP_CELL_PROBE)
        return AMP_TURN_GO;
    if (configuration->state != AMP_CONFIGURATION_READY) {
        turn = configuration->state == AMP_CONFIGURATION_WRONG ? AMP_TURN_FAIL : AMP_TURN_LEAVE_OUT;
        out->reason = "wrong";
        snprintf(out->detail, sizeof out->detail, "%s", configuration->why);
    } else if (job->state == AMP_JOB_DONE) {
        int err = amp_matrix_judge(configuration, job->file, &allocators->probes[job->within], out);

        if (err)
            return err;
        turn = allocators->probes[job->within] ? AMP_TURN_GO : AMP_TURN_FAIL;
    }
    if (turn != AMP_TURN_GO)
        weigh(allocators, job, out);
    return turn;
}

/* The run must not mix two builds. */
static const char *rebuilt(void *run, const struct amp_job *job)
{
    struct allocators *allocators = run;
    json_t *now = amp_matrix_built(&allocators->matrix);
    bool same = json_equal(now, allocators->built);

    (void) job;
    json_decref(now);
    return same ? NULL : "ampersand or a lesson";
}

static int accept(void *run, const struct amp_job *job, struct amp_outcome *outcome)
{
    struct allocators *allocators = run;
    int err = 0;

    if (outcome->ending == AMP_DONE && job->kind == AMP_CELL_PROBE)
        err = amp_matrix_judge(&allocators->matrix.configurations.list[job->within], job->file,
                               &allocators->probes[job->within], outcome);
    else if (outcome->ending == AMP_DONE)
        amp_matrix_hold_to_probe(allocators->probes[job->within], job->file, outcome);
    if (!err && job->kind == AMP_CELL_PROBE)
        weigh(allocators, job, outcome);
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
        .quiet_share = 0.15,
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
    struct allocators allocators = { .options = *options,
                                     .dir = options->resume ? options->resume : options->out,
                                     .registry = registry };
    const struct amp_run_request request = { .dir = allocators.dir,
                                             .resume = options->resume != NULL,
                                             .no_wait = &allocators.options.no_wait,
                                             .quiet_ns = &allocators.options.quiet_ns };
    int status = amp_run(&verb, &allocators, &request);

    for (size_t i = 0; allocators.probes && i < allocators.matrix.configurations.n; i++)
        json_decref(allocators.probes[i]);
    json_decref(allocators.built);
    free(allocators.probes);
    amp_matrix_free(&allocators.matrix);
    return status;
}
