/* SPDX-License-Identifier: MIT */
#include "harness/bench/plan.h"

#include "harness/bench/task.h"
#include "harness/measure/rounds.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

/* For each side. libbenchmark takes about twice as long, since it first searches for the number of iterations. */
#define SOLO_MIN_TIME_S "0.005"

static const struct amp_exit exits[] = AMP_PAIR_EXITS;

_Static_assert((int) AMP_KINDS <= AMP_JOB_KINDS, "each kind has its own mean time");

static const struct {
    const char *name, *folder;
} kinds[AMP_KINDS] = {
    [AMP_KIND_PAIRED] = { "paired", "launches" },
    [AMP_KIND_COUNTS] = { "counts", "counts" },
    [AMP_KIND_SOLO] = { "solo", "solo" },
};

const char *amp_kind_name(enum amp_kind kind)
{
    return kinds[kind].name;
}

/* The layout of a row's solo launch. The launches of a row go through all layouts in random order before one
 * repeats. */
static int draw_layout(const char *row, unsigned layouts, uint64_t seed, unsigned launch)
{
    unsigned order[layouts];
    uint64_t random = amp_random_seed(seed, row);

    for (unsigned i = 0; i < layouts; i++)
        order[i] = i;
    amp_random_shuffle(order, layouts, sizeof *order, &random);
    return (int) order[launch % layouts];
}

struct draw {
    uint64_t seed;           /* below 2^53: exact in every reader of JSON */
    unsigned stack_offset_b; /* a multiple of 16 below 64 KiB */
    unsigned padding_b;      /* below 4 KiB: a page, beyond which addresses look the same to caches */
    int layout;              /* -1: the whole design; a solo launch has always one */
};

static struct draw draw(const struct amp_plan *plan, const struct amp_job *job, const char *row, const char *path)
{
    uint64_t random = amp_random_seed(plan->options.seed, path);
    struct draw draw = { .seed = amp_random_next(&random) >> 11 };

    draw.stack_offset_b = (unsigned) (amp_random_next(&random) % 4096) * 16;
    draw.padding_b = (unsigned) (amp_random_next(&random) % 4096);
    draw.layout = plan->options.layout;
    if (job->kind == AMP_KIND_SOLO && draw.layout < 0)
        draw.layout = draw_layout(row, plan->layouts[job->group], plan->options.seed, job->launch);
    return draw;
}

/* An ordinary Google Benchmark program, which writes "<file>.tmp". */
static void add_solo(const struct amp_row *row, const struct draw *draw, struct amp_jobs *jobs, struct amp_job *job)
{
    amp_jobs_word(jobs, job, "--layout");
    amp_jobs_word(jobs, job, "%d", draw->layout);
    amp_jobs_word(jobs, job, "--lesson");
    amp_jobs_word(jobs, job, "%s", row->lesson);
    amp_jobs_word(jobs, job, "--benchmark_filter=^%s/side=", job->name);
    amp_jobs_word(jobs, job, "--benchmark_out=%s.tmp", job->file);
    amp_jobs_word(jobs, job, "--benchmark_out_format=json");
    amp_jobs_word(jobs, job, "--benchmark_min_time=" SOLO_MIN_TIME_S);
}

/* A task as child.h has it. */
static void add_task(const struct amp_plan *plan, const struct draw *draw, struct amp_jobs *jobs, struct amp_job *job)
{
    const struct amp_launch_options *options = &plan->options;
    const struct amp_task of = {
        .kind = amp_kind_name(job->kind), .lesson = plan->rows.row[job->group]->lesson, .name = job->name,
        .file = job->file, .launch = job->launch, .configuration = AMP_CONFIGURATION, .seed = draw->seed,
        .cpu = job->process.cpu, .stack_offset_b = draw->stack_offset_b, .environment_padding_b = draw->padding_b,
        .epoch_ns = options->epoch_ns, .quiet_ns = options->quiet_ns, .rounds_per_block = options->rounds_per_block,
        .layout = draw->layout
    };

    amp_jobs_word(jobs, job, "child");
    amp_jobs_task(jobs, job, &amp_task_record, &of);
}

static void add(const struct amp_plan *plan, enum amp_kind kind, size_t i, unsigned launch, struct amp_jobs *jobs)
{
    const struct amp_launch_options *options = &plan->options;
    const struct amp_row *row = plan->rows.row[i];
    struct amp_job *job = amp_jobs_add(jobs);
    char name[256], path[PATH_MAX];
    struct draw drawn;

    amp_row_name(row, name, sizeof name);
    snprintf(path, sizeof path, "%s/" AMP_CONFIGURATION "/%s/%03u.json", kinds[kind].folder, name, launch);
    job->kind = kind;
    job->group = job->within = i;
    job->launch = launch;
    job->needed = kind == AMP_KIND_COUNTS ? options->counts_launches
                                          : amp_jobs_needed(plan->rows.n * (options->looks > 0 ? options->looks : 1));
    job->name = amp_jobs_text(jobs, "%s", name);
    job->file = amp_jobs_text(jobs, "%s/%s", plan->dir, path);
    job->fields = json_pack("{s:s, s:s, s:s, s:I, s:I}", "kind", amp_kind_name(kind), "configuration",
                            AMP_CONFIGURATION, "pair", row->pair->name, "size", (json_int_t) row->size, "launch",
                            (json_int_t) launch);
    job->timed = kind != AMP_KIND_COUNTS;
    job->foreign = kind == AMP_KIND_SOLO;
    drawn = draw(plan, job, name, path);
    job->process = (struct amp_process){ .cpu = row->pair->threads > 0 ? -1 : plan->cpu,
                                         .environment_padding_b = drawn.padding_b,
                                         .timeout_s = options->timeout_s,
                                         .exits = exits,
                                         .memory_limit_b = options->memory_limit_b };
    amp_jobs_word(jobs, job, "%s", options->command[0]);
    if (kind == AMP_KIND_SOLO)
        add_solo(row, &drawn, jobs, job);
    else
        add_task(plan, &drawn, jobs, job);
}

/* In random order: the load of the machine and its temperature change while a run lasts, and that then falls on all
 * rows alike. */
void amp_plan_make(const struct amp_plan *plan, struct amp_jobs *jobs)
{
    const unsigned launches[AMP_KINDS] = {
        [AMP_KIND_PAIRED] = plan->options.launches,
        [AMP_KIND_COUNTS] = plan->options.counts_launches,
        [AMP_KIND_SOLO] = plan->options.solo_launches,
    };

    for (size_t i = 0; i < plan->rows.n; i++)
        for (int kind = 0; kind < AMP_KINDS; kind++)
            for (unsigned launch = 0; launch < launches[kind]; launch++)
                add(plan, (enum amp_kind) kind, i, launch, jobs);
    amp_jobs_shuffle(jobs, 0, plan->options.seed);
}

void amp_plan_extend(const struct amp_plan *plan, enum amp_kind kind, const bool *chosen, const unsigned *launches,
                     unsigned to, struct amp_jobs *jobs)
{
    size_t first = jobs->n;

    for (size_t i = 0; i < plan->rows.n; i++)
        for (unsigned launch = launches[i]; chosen[i] && launch < to; launch++)
            add(plan, kind, i, launch, jobs);
    amp_jobs_shuffle(jobs, first, plan->options.seed ^ to);
}

uint64_t amp_plan_need_b(const struct amp_plan *plan)
{
    const struct amp_launch_options *options = &plan->options;
    const uint64_t block_b = 4096, epoch_b = 8, layout_b = 32, table_b = 16384, fixed_b = 1 << 20;
    uint64_t need_b = fixed_b;

    for (size_t i = 0; i < plan->rows.n; i++) {
        uint64_t paired_b = plan->layouts[i] * (layout_b + 2 * epoch_b * options->rounds_per_block) + block_b;

        need_b += options->launches * (paired_b + block_b) +
                  (options->counts_launches + options->solo_launches) * 2 * block_b + table_b;
    }
    return need_b;
}
