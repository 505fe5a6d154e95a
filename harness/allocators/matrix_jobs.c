/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_jobs.h"

#include "harness/allocators/workload/child.h"
#include "harness/lesson/pair.h"
#include "harness/measure/rounds.h"

#include <stdio.h>

#define TIMELINE_B (256ull << 20) /* the most that a timeline takes, even if its allocator gives nothing back */

static const struct amp_exit exits[] = AMP_PAIR_EXITS, program_exits[] = AMP_PROGRAM_EXITS;
static const char *const no_variables[] = { NULL }; /* nor those that the user's own environment has for allocators */

_Static_assert((int) AMP_CELL_TIMELINE < AMP_JOB_KINDS, "each kind has its own mean time");

static const char *const kinds[] = {
    [AMP_CELL_PROBE] = "probe", [AMP_CELL_LAUNCH] = "workload", [AMP_CELL_TIMELINE] = "timeline"
};

struct maker {
    const struct amp_matrix *matrix;
    const struct amp_matrix_options *options;
    const struct amp_matrix_plan *plan;
    struct amp_jobs *jobs;
    size_t *configurations, *workloads; /* their order in the block that is being made */
    uint64_t random;
};

/* Make one job; only a launch has a workload. */
struct cell {
    enum amp_cell_kind kind;
    const struct amp_configuration *configuration;
    const struct amp_matrix_workload *workload;
    unsigned launch;
    uint64_t seed; /* below 2^53: exact in every reader of JSON */
};

/* workload/child.h says what a task holds. */
static void add_task(const struct maker *maker, const struct cell *cell, struct amp_job *job)
{
    const struct amp_matrix_options *options = maker->options;
    const struct amp_matrix_workload *workload = cell->workload;
    struct amp_workload_task of = {
        .file = job->file, .configuration = cell->configuration->name,
        .workload = workload ? workload->name : kinds[cell->kind], .lesson = workload ? workload->lesson : NULL,
        .trace = workload && workload->replay ? workload->replay->path : NULL,
        .launch = cell->launch, .seed = cell->seed, .cpu = job->process.cpu,
        .environment_padding_b = job->process.environment_padding_b, .quiet_ns = options->quiet_ns,
        .timeline_s = options->timeline_s, .quick = options->quick,
        .classes = cell->launch == 0, .n_sizes = workload ? workload->n_sizes : 0
    };

    if (workload)
        memcpy(of.sizes, workload->sizes, sizeof of.sizes);
    amp_jobs_word(maker->jobs, job, "ampersand-workload");
    amp_jobs_word(maker->jobs, job, "%s", workload && workload->pair ? "pair" : kinds[cell->kind]);
    amp_jobs_task(maker->jobs, job, &amp_workload_task_record, &of);
}

/* The same for the user's program, which gets its configuration from the process that starts it. */
static void add_program_task(const struct maker *maker, const struct cell *cell, struct amp_job *job)
{
    const struct amp_configuration *configuration = cell->configuration;
    bool is_probe = cell->kind == AMP_CELL_PROBE;
    static struct amp_program_task of;

    of = (struct amp_program_task){
        .file = job->file, .configuration = configuration->name,
        .workload = maker->matrix->workloads->name, .launch = cell->launch, .seed = cell->seed,
        .cpu = job->process.cpu, .environment_padding_b = job->process.environment_padding_b,
        .quiet_ns = maker->options->quiet_ns, .program = maker->options->program, .preload = configuration->library
    };
    while (configuration->environment[of.n_environment] && of.n_environment < AMP_PROGRAM_VARIABLES) {
        of.environment[of.n_environment] = configuration->environment[of.n_environment];
        of.n_environment++;
    }
    amp_jobs_word(maker->jobs, job, "ampersand-workload");
    amp_jobs_word(maker->jobs, job, is_probe ? "program-probe" : "program");
    amp_jobs_task(maker->jobs, job, &amp_program_task_record, &of);
    job->process.environment = no_variables;
    job->process.preload = NULL;
    job->process.exits = program_exits;
}

/* Pinned if there is only one thread; nobody knows how many the user's program has. */
static int cpu_of(const struct maker *maker, const struct amp_matrix_workload *workload)
{
    bool alone = workload && !workload->program &&
                 (workload->pair ? workload->pair->threads == 0 : workload->workload->threads == 1);

    return alone ? maker->plan->cpu : -1;
}

/* The draws depend on the seed and the job, not on its place in the list. All configurations get the same workload
 * seed. */
static unsigned draw(const struct maker *maker, struct cell *cell)
{
    char name[128];
    uint64_t random;

    snprintf(name, sizeof name, "%s/%u", cell->workload ? cell->workload->name : "timeline", cell->launch);
    random = amp_random_seed(maker->options->seed, name);
    cell->seed = amp_random_next(&random) >> 11;
    random = amp_random_seed(random, cell->configuration->name);
    return (unsigned) (amp_random_next(&random) % 4096); /* below a page */
}

static void name_job(const struct maker *maker, const struct cell *cell, struct amp_job *job)
{
    const char *configuration = cell->configuration->name, *dir = maker->plan->dir;
    char probe[PATH_MAX];

    switch (cell->kind) {
    case AMP_CELL_PROBE:
        amp_matrix_probe(dir, cell->configuration, probe);
        job->file = amp_jobs_text(maker->jobs, "%s", probe);
        break;
    case AMP_CELL_LAUNCH:
        job->file = amp_jobs_text(maker->jobs, "%s/launches/%s/%s/%03u.json", dir, configuration, cell->workload->name,
                                  cell->launch);
        break;
    case AMP_CELL_TIMELINE:
        job->file = amp_jobs_text(maker->jobs, "%s/timelines/%s/%03u.json", dir, configuration, cell->launch);
        break;
    }
    job->name = amp_jobs_text(maker->jobs, "%s%s%s", configuration, cell->workload ? ": " : "",
                              cell->workload ? cell->workload->name : "");
    job->fields = json_pack("{s:s, s:s, s:s?, s:I}", "kind", kinds[cell->kind], "configuration", configuration,
                            "workload", cell->workload ? cell->workload->name : NULL, "launch",
                            (json_int_t) cell->launch);
}

static void add(const struct maker *maker, struct cell cell)
{
    const struct amp_matrix *matrix = maker->matrix;
    const struct amp_matrix_options *options = maker->options;
    size_t columns = matrix->configurations.n, i = (size_t) (cell.configuration - matrix->configurations.list);
    size_t row = cell.workload ? (size_t) (cell.workload - matrix->workloads) : 0;
    bool is_timeline = cell.kind == AMP_CELL_TIMELINE;
    unsigned padding_b = draw(maker, &cell);
    struct amp_job *job = amp_jobs_add(maker->jobs);

    job->kind = cell.kind;
    job->launch = cell.launch;
    job->within = job->group = i;
    if (cell.kind != AMP_CELL_PROBE)
        job->group += columns * (1 + (is_timeline ? matrix->n_workloads : row));
    /* A timeline is compared if it has the launches for one interval (FEWEST in plots/stats/multiplicity.py). */
    job->needed = amp_jobs_needed(is_timeline ? 1 : columns * matrix->n_workloads);
    job->timed = cell.kind == AMP_CELL_LAUNCH;
    job->beside_b = is_timeline ? TIMELINE_B : 0;
    job->process = (struct amp_process){
        .program = maker->plan->program,
        .environment = (const char *const *) cell.configuration->environment,
        .preload = cell.configuration->library,
        .cpu = cpu_of(maker, cell.workload),
        .environment_padding_b = padding_b,
        .timeout_s = options->timeout_s + (is_timeline ? options->timeline_s : 0),
        .exits = exits,
        .memory_limit_b = options->memory_limit_b,
    };
    name_job(maker, &cell, job);
    if (maker->options->program.n_command > 0)
        add_program_task(maker, &cell, job);
    else
        add_task(maker, &cell, job);
}

static void add_block(struct maker *maker, unsigned launch)
{
    const struct amp_matrix *matrix = maker->matrix;

    amp_random_shuffle(maker->workloads, matrix->n_workloads, sizeof *maker->workloads, &maker->random);
    for (size_t w = 0; w < matrix->n_workloads; w++) {
        amp_random_shuffle(maker->configurations, matrix->configurations.n, sizeof *maker->configurations,
                           &maker->random);
        for (size_t c = 0; c < matrix->configurations.n; c++)
            add(maker, (struct cell){ .kind = AMP_CELL_LAUNCH,
                                      .configuration = &matrix->configurations.list[maker->configurations[c]],
                                      .workload = &matrix->workloads[maker->workloads[w]],
                                      .launch = launch });
    }
}

/* 0 to n - 1. */
static size_t *count_up(size_t n, struct amp_jobs *jobs)
{
    size_t *list = calloc(n + 1, sizeof *list);

    jobs->no_memory = jobs->no_memory || !list;
    for (size_t i = 0; list && i < n; i++)
        list[i] = i;
    return list;
}

void amp_matrix_jobs(const struct amp_matrix *matrix, const struct amp_matrix_options *options,
                     const struct amp_matrix_plan *plan, struct amp_jobs *jobs)
{
    const struct amp_configuration *columns = matrix->configurations.list;
    size_t n = matrix->configurations.n;
    struct maker maker = { matrix, options, plan, jobs, count_up(n, jobs), count_up(matrix->n_workloads, jobs),
                           options->seed };

    for (size_t i = 0; i < n; i++)
        add(&maker, (struct cell){ .kind = AMP_CELL_PROBE, .configuration = &columns[i] });
    for (unsigned launch = 0; launch < options->launches && !jobs->no_memory; launch++)
        add_block(&maker, launch);
    for (unsigned launch = 0; launch < options->timeline_launches; launch++)
        for (size_t i = 0; i < n; i++)
            add(&maker, (struct cell){ .kind = AMP_CELL_TIMELINE, .configuration = &columns[i], .launch = launch });
    free(maker.configurations);
    free(maker.workloads);
}

size_t amp_matrix_size(const struct amp_matrix *matrix, const struct amp_matrix_options *options)
{
    return matrix->configurations.n * (1 + matrix->n_workloads * options->launches + options->timeline_launches);
}

void amp_matrix_probe(const char *dir, const struct amp_configuration *configuration, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/provenance/%s.json", dir, configuration->name);
}
