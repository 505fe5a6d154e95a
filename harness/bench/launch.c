/* SPDX-License-Identifier: MIT
 *
 * The functions by which the run engine (run/job.h) does a run of pairs. */
#include "harness/bench/launch.h"

#include "harness/bench/looks.h"
#include "harness/bench/manifest.h"
#include "harness/lesson/built.h"
#include "harness/machine/machine.h"
#include "harness/measure/heap.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

struct bench {
    struct amp_plan plan;
    const struct amp_registry *registry;
    uint32_t *built; /* noted of each row */
    struct amp_looks looks;
};

/* On one CPU the threads of a pair would take turns: that measures the scheduler, not the pair's question. */
static int leave_out_threads(struct amp_rows *rows)
{
    static const char one_only[] = "and this process may use one only (taskset, a cpuset)";
    const struct amp_row *first = NULL;
    size_t n = amp_machine_cpus() == 1 ? amp_rows_leave_out_threads(rows, &first) : 0;
    bool any = n == 0;
    char name[256];

    if (first)
        amp_row_name(first, name, sizeof name);
    for (size_t i = 0; i < rows->n; i++)
        any = any || !rows->row[i]->pair->floor;
    if (!any)
        return amp_complain(AMP_RUN_UNUSABLE, name, "its threads want two CPUs, %s", one_only);
    if (n > 0)
        amp_complain(0, name, "left out%s: threads want two CPUs, %s",
                     n > 1 ? " with the other rows that have threads" : "", one_only);
    return 0;
}

static int keep_shard(const char *shard, struct amp_rows *rows)
{
    unsigned k, n;

    if (!amp_rows_read_shard(shard, &k, &n))
        return amp_complain(AMP_RUN_UNUSABLE, "--shard", "'%s' is not K/N, as in 1/4 to 4/4", shard);
    if (amp_rows_keep_shard(rows, k, n) == 0)
        return amp_complain(AMP_RUN_UNUSABLE, "--shard", "'%s': so many pairs do not match, this shard has none",
                            shard);
    return 0;
}

static int match_rows(struct bench *bench)
{
    const char *shard = bench->plan.options.shard;
    int status;
    const char *why = "", *filter = bench->plan.options.filter;
    int err = amp_rows_match(bench->registry, filter, &bench->plan.rows, &why);

    if (err == -ENOMEM)
        return amp_complain(AMP_RUN_UNUSABLE, "plan", "%s", strerror(ENOMEM));
    if (err)
        return amp_complain(AMP_RUN_UNUSABLE, "--filter", "'%s': %s", filter ? filter : "", why);
    status = shard ? keep_shard(shard, &bench->plan.rows) : 0;
    return status ? status : leave_out_threads(&bench->plan.rows);
}

static int restore(void *run, const json_t *manifest, const char **why)
{
    struct bench *bench = run;

    return amp_manifest_restore(manifest, bench->registry, &bench->plan.options, &bench->plan.rows, why);
}

/* The rows, how large their lessons' designs are, and which build these are of. */
static int choose(void *run)
{
    struct bench *bench = run;
    const char *why = "";
    int status = bench->plan.options.resume ? 0 : match_rows(bench);

    if (status)
        return status;
    bench->plan.layouts = amp_manifest_layouts(&bench->plan.rows, &why);
    if (!bench->plan.layouts)
        return amp_complain(AMP_RUN_UNUSABLE, "lessons", "%s", why);
    bench->built = amp_built_note(&bench->plan.rows);
    if (!bench->built)
        return amp_complain(AMP_RUN_UNUSABLE, "lessons", "their tables cannot be read; build them again");
    return 0;
}

static json_t *manifest(void *run, const char **why)
{
    const struct amp_plan *plan = &((struct bench *) run)->plan;

    return amp_manifest_make(&plan->rows, plan->layouts, &plan->options, why);
}

static uint64_t need_b(const void *run)
{
    return amp_plan_need_b(&((const struct bench *) run)->plan);
}

/* Add the new block; the jobs that the run had before are not run again. */
static int ask_for_block(struct bench *bench, struct amp_jobs *jobs)
{
    const char *why = "";

    for (size_t i = 0; i < jobs->n; i++)
        jobs->list[i].state = access(jobs->list[i].file, F_OK) == 0 ? AMP_JOB_DONE : AMP_JOB_LOST;
    if (amp_looks_ask(&bench->plan, jobs, &bench->looks, &why))
        return amp_complain(AMP_RUN_UNUSABLE, bench->plan.options.solo_rows ? "--solo-rows" : "--rows", "%s", why);
    jobs->event = "extend";
    jobs->fields = amp_looks_event(&bench->plan.rows, &bench->plan.options, &bench->looks);
    return 0;
}

/* The first launches, and the blocks that the journal tells of. */
static int make(void *run, int cpu, struct amp_jobs *out)
{
    struct bench *bench = run;
    char path[PATH_MAX];
    const char *why = "";
    int status;

    bench->plan.cpu = cpu;
    amp_plan_make(&bench->plan, out);
    snprintf(path, sizeof path, "%s/journal.jsonl", bench->plan.dir);
    if (amp_looks_read(path, &bench->plan, out, &bench->looks, &why))
        return amp_complain(AMP_RUN_UNUSABLE, bench->plan.dir, "%s", why);
    status = bench->plan.options.rows || bench->plan.options.solo_rows ? ask_for_block(bench, out) : 0;
    if (!status && bench->plan.options.counts_launches > 0 && amp_heap_available(&why))
        amp_complain(0, "allocations", "they are not counted: %s", why);
    return status;
}

/* When the budget is used up, the rest of the plan, all jobs of blocks, is not done. */
static int turn(void *run, const struct amp_job *job, size_t left, struct amp_outcome *out)
{
    const struct bench *bench = run;
    const struct amp_launch_options *options = &bench->plan.options;

    if (job->state != AMP_JOB_TO_DO || !amp_looks_has(options, job) || !amp_looks_is_spent(&bench->looks, options))
        return AMP_TURN_GO;
    snprintf(out->detail, sizeof out->detail, "the budget of %u s for further launches is spent: %zu are left out",
             options->budget_s, left);
    return AMP_TURN_END;
}

static const char *rebuilt(void *run, const struct amp_job *job)
{
    const struct bench *bench = run;
    const struct amp_row *row = bench->plan.rows.row[job->group];

    return amp_built_holds(row, bench->built[job->group]) ? NULL : row->lesson;
}

static int accept(void *run, const struct amp_job *job, struct amp_outcome *outcome)
{
    struct bench *bench = run;

    if (amp_looks_has(&bench->plan.options, job))
        bench->looks.spent_ms += amp_looks_ms(outcome->seconds);
    return 0;
}

static const struct amp_manifest_part parts[] = {
    { "layouts", NULL, "the lessons' modules" },
    { "rows", NULL, "the lessons" },
    { "allocator", NULL, "the allocator or its options" },
    { 0 },
};

int amp_launch_run(const struct amp_registry *registry, const struct amp_launch_options *options)
{
    static const struct amp_run_verb verb = {
        .schema = AMP_MANIFEST_SCHEMA,
        .parts = parts,
        .quiet_share = 0.1, /* blocks that were disturbed are measured again within the child */
        .restore = restore,
        .choose = choose,
        .manifest = manifest,
        .need_b = need_b,
        .make = make,
        .turn = turn,
        .rebuilt = rebuilt,
        .accept = accept,
    };
    const char *dir = options->resume ? options->resume : options->out;
    struct bench bench = { .plan = { .options = *options, .dir = dir }, .registry = registry };
    const struct amp_run_request request = { .dir = dir,
                                             .resume = options->resume != NULL,
                                             .no_wait = &bench.plan.options.no_wait,
                                             .quiet_ns = &bench.plan.options.quiet_ns };
    int status = amp_run(&verb, &bench, &request);

    amp_looks_free(&bench.looks);
    amp_rows_free(&bench.plan.rows);
    free(bench.plan.layouts);
    free(bench.built);
    return status;
}
