/* SPDX-License-Identifier: MIT */
#include "harness/collectors/jobs.h"

#include "harness/kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct amp_exit exits[] = { { AMP_EXIT_NO_MEMORY, "memory", "no memory" }, { 0 } };
static const char *const kinds[] = { [AMP_GC_POINT] = "point", [AMP_GC_PAUSES] = "pauses",
                                     [AMP_GC_SHAPE] = "shape", [AMP_GC_GRAPH] = "graph", [AMP_GC_TRIAL] = "trial" };
static const char *const shapes[] = { "values", "ordered", "shuffled", "list", "balanced", "stores",
                                      "marked", "fresh", "loop", "checked", "churn" };

enum { STILL = 5, SHAPES = sizeof shapes / sizeof *shapes };
enum { TRIED = 8, TRIAL_B = 16 << 20 }; /* of a trial: turnover, and its live heap at most */

/* Go says on stderr what its collector does. What else the environment sets for an allocator is not inherited. */
static const char *const environment[] = { "GODEBUG=gctrace=1", NULL };

struct task { /* as benchmarks/gc/result.h has it */
    const char *file, *workload;
    uint64_t live_b, seed, turnover;
    unsigned gogc, launch;
    bool graph;
};

#define TASK(member) AMP_FIELD(struct task, member)
static const struct amp_record task_record = {
    AMP_FIELDS(TASK(file), TASK(workload), TASK(live_b), TASK(gogc), TASK(turnover), TASK(launch), TASK(seed),
               TASK(graph)),
};

struct maker {
    const struct amp_collectors_options *options;
    const char *dir;
    char *const *programs;
    struct amp_jobs *jobs;
};

static void name_job(const struct maker *maker, enum amp_collectors_kind kind, const char *collector,
                     const struct task *task, struct amp_job *job)
{
    struct amp_jobs *jobs = maker->jobs;

    if (kind == AMP_GC_POINT)
        job->file = amp_jobs_text(jobs, "%s/launches/%s/%s-%" PRIu64 "-%u/%03u.json", maker->dir, collector,
                                  task->workload, task->live_b, task->gogc, task->launch);
    else if (kind == AMP_GC_PAUSES)
        job->file = amp_jobs_text(jobs, "%s/pauses/%s.json", maker->dir, collector);
    else if (kind == AMP_GC_SHAPE)
        job->file = amp_jobs_text(jobs, "%s/shapes/%s/%s.json", maker->dir, collector, task->workload);
    else if (kind == AMP_GC_GRAPH)
        job->file = amp_jobs_text(jobs, "%s/graphs/%s.json", maker->dir, task->workload);
    else
        job->file = amp_jobs_text(jobs, "%s/trial.json", maker->dir);
    job->name = amp_jobs_text(jobs, "%s: %s%s, %" PRIu64 " MiB, GOGC %u", collector,
                              kind == AMP_GC_PAUSES ? "pauses of " : kind == AMP_GC_GRAPH ? "the heap of " : "",
                              task->workload, task->live_b >> 20, task->gogc);
    job->fields = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "kind", kinds[kind], "configuration", collector, "workload",
                            task->workload, "live_b", (json_int_t) task->live_b, "gogc", (json_int_t) task->gogc,
                            "launch", (json_int_t) task->launch);
}

static void add(const struct maker *maker, enum amp_collectors_kind kind, size_t collector, struct task task,
                size_t group)
{
    const struct amp_collectors_options *options = maker->options;
    struct amp_job *job = amp_jobs_add(maker->jobs);

    task.seed = options->seed + task.launch;
    name_job(maker, kind, options->collectors[collector], &task, job);
    job->kind = kind;
    job->launch = task.launch;
    job->group = group;
    job->within = SIZE_MAX;
    job->needed = 1;
    job->timed = kind != AMP_GC_GRAPH;
    job->process = (struct amp_process){ .program = maker->programs[collector], .environment = environment, .cpu = -1,
                                         .timeout_s = options->timeout_s, .exits = exits,
                                         .memory_limit_b = options->memory_limit_b };
    task.file = job->file;
    amp_jobs_word(maker->jobs, job, "ampersand-gc-%s", options->collectors[collector]);
    amp_jobs_task(maker->jobs, job, &task_record, &task);
}

static uint64_t turnover_of(const struct amp_collectors_options *o, uint64_t gogc)
{
    return o->cycles ? (o->cycles * gogc + 99) / 100 : o->turnover;
}

static void add_points(const struct maker *maker, unsigned launch)
{
    const struct amp_collectors_options *o = maker->options;
    size_t group = 0, first = maker->jobs->n;

    for (size_t c = 0; c < o->n_collectors; c++)
        for (size_t w = 0; w < o->n_workloads; w++)
            for (size_t l = 0; l < o->n_live; l++)
                for (size_t g = 0; g < o->n_gogc; g++)
                    add(maker, AMP_GC_POINT, c,
                        (struct task){ .workload = o->workloads[w], .live_b = o->live_b[l],
                                       .gogc = (unsigned) o->gogc[g], .turnover = turnover_of(o, o->gogc[g]),
                                       .launch = launch },
                        group++);
    amp_jobs_shuffle(maker->jobs, first, o->seed + launch);
}

static uint64_t live_for(const struct amp_collectors_options *o, bool largest)
{
    uint64_t live_b = o->live_b[0];

    for (size_t i = 1; i < o->n_live; i++)
        if (largest ? o->live_b[i] > live_b : o->live_b[i] < live_b)
            live_b = o->live_b[i];
    return live_b;
}

static uint64_t smallest_gogc(const struct amp_collectors_options *o)
{
    uint64_t gogc = o->gogc[0];

    for (size_t g = 1; g < o->n_gogc; g++)
        gogc = o->gogc[g] < gogc ? o->gogc[g] : gogc;
    return gogc;
}

static uint64_t turnover_for_pauses(const struct amp_collectors_options *o, uint64_t gogc)
{
    return o->pauses * gogc / 100 + 2;
}

/* Pauses depend most on the largest heap; in a quick run that would take too long. The workload with most mutators; the
 * smallest GOGC, which gives most cycles. */
static struct task task_of_pauses(const struct amp_collectors_options *o)
{
    const uint64_t gogc = smallest_gogc(o);
    struct task task = { .workload = o->workloads[0], .live_b = live_for(o, !o->quick), .gogc = (unsigned) gogc,
                         .turnover = turnover_for_pauses(o, gogc) };

    for (size_t w = 0; w < o->n_workloads; w++)
        task.workload = strcmp(o->workloads[w], "server") == 0 ? o->workloads[w] : task.workload;
    return task;
}

static void add_pauses(const struct maker *maker, size_t group)
{
    for (size_t c = 0; c < maker->options->n_collectors; c++)
        add(maker, AMP_GC_PAUSES, c, task_of_pauses(maker->options), group + c);
}

/* The first five are collected as they are. */
static void add_shapes(const struct maker *maker, size_t group)
{
    const struct amp_collectors_options *o = maker->options;

    for (size_t c = 0; c < o->n_collectors; c++)
        for (size_t s = 0; s < SHAPES; s++)
            add(maker, AMP_GC_SHAPE, c,
                (struct task){ .workload = shapes[s], .live_b = o->live_b[o->n_live - 1], .gogc = (unsigned) o->gogc[0],
                               .turnover = s < STILL ? 0 : o->turnover },
                group++);
}

static void add_graphs(const struct maker *maker, size_t group)
{
    const struct amp_collectors_options *o = maker->options;

    for (size_t c = 0; c < o->n_collectors; c++)
        for (size_t w = 0; strcmp(o->collectors[c], "ours") == 0 && w < o->n_workloads; w++)
            add(maker, AMP_GC_GRAPH, c,
                (struct task){ .workload = o->workloads[w], .live_b = o->live_b[o->n_live - 1],
                               .gogc = (unsigned) o->gogc[0], .turnover = 1, .graph = true },
                group++);
}

void amp_collectors_jobs(const struct amp_collectors_options *options, const char *dir, char *const *programs,
                         struct amp_jobs *jobs)
{
    const struct maker maker = { options, dir, programs, jobs };
    size_t points = options->n_collectors * options->n_workloads * options->n_gogc * options->n_live;

    for (unsigned launch = 0; launch < options->launches; launch++)
        add_points(&maker, launch);
    add_pauses(&maker, points);
    add_shapes(&maker, points + options->n_collectors);
    add_graphs(&maker, points + (1 + SHAPES) * options->n_collectors);
}

size_t amp_collectors_size(const struct amp_collectors_options *options)
{
    size_t points = options->n_workloads * options->n_gogc * options->n_live * options->launches;

    return options->n_collectors * (points + 1 + SHAPES) + options->n_workloads;
}

/* ---- Trials */

static void add_trial(const struct maker *maker, size_t collector, const char *workload, uint64_t gogc)
{
    const uint64_t live_b = live_for(maker->options, false);

    add(maker, AMP_GC_TRIAL, collector,
        (struct task){ .workload = workload, .live_b = live_b < TRIAL_B ? live_b : TRIAL_B, .gogc = (unsigned) gogc,
                       .turnover = TRIED },
        0);
}

/* At the mean of all GOGC, as many bytes are allocated for each cycle as in all points together. */
static uint64_t mean_gogc(const struct amp_collectors_options *o)
{
    uint64_t sum = 0;

    for (size_t g = 0; g < o->n_gogc; g++)
        sum += o->gogc[g];
    return sum / o->n_gogc;
}

void amp_collectors_trials(const struct amp_collectors_options *o, const char *dir, char *const *programs,
                           struct amp_jobs *jobs)
{
    const struct maker maker = { o, dir, programs, jobs };

    for (size_t c = 0; c < o->n_collectors; c++) {
        for (size_t w = 0; w < o->n_workloads; w++)
            add_trial(&maker, c, o->workloads[w], mean_gogc(o));
        add_trial(&maker, c, task_of_pauses(o).workload, smallest_gogc(o));
    }
}

/* How often what a trial allocates, its live heap included, is in what the trial stands for. */
double amp_collectors_trial_times(const struct amp_collectors_options *o, size_t trial)
{
    const uint64_t least_b = live_for(o, false), tried_b = (least_b < TRIAL_B ? least_b : TRIAL_B) * (TRIED + 1);
    const struct task pauses = task_of_pauses(o);
    uint64_t live_b = 0, turnover = 0;

    if (trial % (o->n_workloads + 1) == o->n_workloads)
        return (double) (pauses.live_b * (pauses.turnover + 1)) / (double) tried_b;
    for (size_t l = 0; l < o->n_live; l++)
        live_b += o->live_b[l];
    for (size_t g = 0; g < o->n_gogc; g++)
        turnover += turnover_of(o, o->gogc[g]) + 1;
    return (double) (o->launches * live_b * turnover) / (double) tried_b;
}
