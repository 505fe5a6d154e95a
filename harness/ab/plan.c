/* SPDX-License-Identifier: MIT */
#include "harness/ab/plan.h"

#include "harness/files/results.h"
#include "harness/measure/rounds.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#define FLOOR "/floor"

static char words[512];
static const struct amp_exit exits[] = AMP_AB_EXITS;

#define FIELD(member, ...) AMP_FIELD(struct amp_ab_settings, member, __VA_ARGS__)
const struct amp_record amp_ab_settings_record = {
    AMP_FIELDS(FIELD(seed), FIELD(epoch_ns, .least = 1), FIELD(quiet_ns, .is_optional = true),
               FIELD(long_times, .most = 1000), FIELD(rounds_per_block, .least = 2, .most = 128),
               FIELD(long_rounds, .most = 64), FIELD(layouts, .least = 4, .most = 256),
               FIELD(timeout_s, .least = 1), FIELD(no_wait), FIELD(programs),
               FIELD(results_differ), FIELD(modules),
               AMP_LIST(struct amp_ab_settings, looks, n_looks, .least = 1, .most = 10000)),
};

int amp_ab_plan_rows(struct amp_ab_plan *plan, const json_t *manifest, const char **why)
{
    const json_t *rows = json_object_get(manifest, "rows");

    *why = "its rows are no list of names";
    plan->n_rows = json_array_size(rows);
    plan->rows = calloc(plan->n_rows + 1, sizeof *plan->rows);
    if (!plan->rows)
        return -ENOMEM;
    for (size_t i = 0; i < plan->n_rows; i++) {
        struct amp_ab_row *row = &plan->rows[i];
        size_t length;

        row->name = json_string_value(json_array_get(rows, i));
        if (!row->name)
            return -EPROTO;
        length = strlen(row->name);
        row->floor = length > strlen(FLOOR) && strcmp(row->name + length - strlen(FLOOR), FLOOR) == 0;
        row->kernel = strndup(row->name, length - (row->floor ? strlen(FLOOR) : 0));
        if (!row->kernel)
            return -ENOMEM;
    }
    return plan->n_rows > 0 ? 0 : -EPROTO;
}

/* The layouts of one launch: its part of all, in an order that is drawn for each visit. */
static void draw_layouts(const struct amp_ab_plan *plan, const char *name, unsigned launch, struct amp_ab_task *task)
{
    unsigned n = plan->settings.layouts, visit = launch / AMP_AB_PARTS, part = launch % AMP_AB_PARTS;
    uint64_t order[256], random = amp_random_seed(plan->settings.seed + visit, name);

    for (unsigned i = 0; i < n; i++)
        order[i] = i;
    amp_random_shuffle(order, n, sizeof *order, &random);
    for (unsigned i = part * n / AMP_AB_PARTS; i < (part + 1) * n / AMP_AB_PARTS; i++)
        task->layouts[task->n_layouts++] = order[i];
}

static void add(const struct amp_ab_plan *plan, size_t i, unsigned launch, struct amp_jobs *jobs)
{
    const struct amp_ab_settings *settings = &plan->settings;
    const struct amp_ab_row *row = &plan->rows[i];
    struct amp_job *job = amp_jobs_add(jobs);
    char path[PATH_MAX];
    uint64_t random;
    struct amp_ab_task task = {
        .kernel = row->kernel, .configuration = AMP_AB_CONFIGURATION, .floor = row->floor,
        .programs = settings->programs, .results_differ = settings->results_differ, .modules = settings->modules,
        .launch = launch, .epoch_ns = settings->epoch_ns, .quiet_ns = settings->quiet_ns,
        .rounds_per_block = settings->rounds_per_block, .long_rounds = settings->long_rounds,
        .long_times = settings->long_times, .cpu = plan->cpu,
    };

    snprintf(path, sizeof path, "launches/" AMP_AB_CONFIGURATION "/%s/%03u.json", row->name, launch);
    random = amp_random_seed(settings->seed, path);
    task.seed = amp_random_next(&random) >> 11; /* below 2^53: exact in every reader of JSON */
    draw_layouts(plan, row->name, launch, &task);
    job->group = job->within = i;
    job->launch = launch;
    job->needed = AMP_AB_PARTS;
    job->name = amp_jobs_text(jobs, "%s", row->name);
    job->file = amp_jobs_text(jobs, "%s/%s", plan->dir, path);
    job->fields = json_pack("{s:s, s:s, s:s, s:I}", "kind", "ab", "configuration", AMP_AB_CONFIGURATION, "row",
                            row->name, "launch", (json_int_t) launch);
    job->timed = true;
    job->process = (struct amp_process){ .program = plan->launcher, .cpu = plan->cpu,
                                         .environment_padding_b = (unsigned) (amp_random_next(&random) % 4096),
                                         .timeout_s = settings->timeout_s, .exits = exits };
    task.file = job->file;
    amp_jobs_word(jobs, job, "%s", plan->launcher);
    amp_jobs_task(jobs, job, &amp_ab_task_record, &task);
}

/* The visits of the chosen rows up to number `to`, in random order: the load of the machine then falls on all alike. */
static void extend(struct amp_ab_plan *plan, unsigned to, struct amp_jobs *jobs)
{
    size_t first = jobs->n;

    for (size_t i = 0; i < plan->n_rows; i++) {
        struct amp_ab_row *row = &plan->rows[i];

        for (unsigned launch = row->visits * AMP_AB_PARTS; row->chosen && launch < to * AMP_AB_PARTS; launch++)
            add(plan, i, launch, jobs);
        row->visits = row->chosen && row->visits < to ? to : row->visits;
    }
    amp_jobs_shuffle(jobs, first, plan->settings.seed ^ to);
}

static struct amp_ab_row *find(const struct amp_ab_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n_rows; i++)
        if (strcmp(plan->rows[i].name, name) == 0)
            return &plan->rows[i];
    return NULL;
}

static void choose_none(struct amp_ab_plan *plan)
{
    for (size_t i = 0; i < plan->n_rows; i++)
        plan->rows[i].chosen = false;
}

static int read_event(struct amp_ab_plan *plan, const json_t *event, struct amp_jobs *jobs)
{
    const char *name = json_string_value(json_object_get(event, "event"));
    const json_t *rows = json_object_get(event, "rows");
    json_int_t to = json_integer_value(json_object_get(event, "launches"));

    if (!name || strcmp(name, "extend") != 0)
        return 0;
    choose_none(plan);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *each = json_string_value(json_array_get(rows, i));
        struct amp_ab_row *row = each ? find(plan, each) : NULL;

        if (!row)
            return -EPROTO;
        row->chosen = true;
    }
    if (plan->looks + 1 >= plan->settings.n_looks || to != (json_int_t) plan->settings.looks[plan->looks + 1])
        return -EPROTO;
    extend(plan, plan->settings.looks[++plan->looks], jobs);
    return 0;
}

int amp_ab_plan_jobs(struct amp_ab_plan *plan, struct amp_jobs *jobs, const char **why)
{
    char path[PATH_MAX], *line = NULL;
    size_t cap = 0, number = 0;
    FILE *file = NULL;
    int err = 0;

    *why = words;
    for (size_t i = 0; i < plan->n_rows; i++)
        plan->rows[i].chosen = !plan->rows[i].floor;
    extend(plan, plan->settings.looks[0], jobs);
    snprintf(path, sizeof path, "%s/journal.jsonl", plan->dir);
    if (amp_results_look(path) == 0)
        file = fopen(path, "re");
    while (!err && file && getline(&line, &cap, file) > 0) {
        json_t *event = json_loads(line, 0, NULL); /* NULL for an incomplete last line */

        number++;
        err = read_event(plan, event, jobs);
        json_decref(event);
    }
    if (err)
        snprintf(words, sizeof words, "journal.jsonl: line %zu: a look that this run cannot have", number);
    free(line);
    if (file)
        fclose(file);
    return err;
}

/* Mark the rows that the file names. */
static int choose(struct amp_ab_plan *plan)
{
    FILE *file = fopen(plan->rows_file, "re");
    char name[256];
    size_t n = 0;
    int err = file ? 0 : -EINVAL;

    choose_none(plan);
    if (!file)
        snprintf(words, sizeof words, "%.200s: %s", plan->rows_file, strerror(errno));
    while (!err && fgets(name, sizeof name, file)) {
        struct amp_ab_row *row;

        name[strcspn(name, "\n")] = '\0';
        row = find(plan, name);
        err = row ? 0 : -EINVAL;
        if (row) {
            row->chosen = true;
            n++;
        } else {
            snprintf(words, sizeof words, "'%.200s' is no row of this run", name);
        }
    }
    if (file)
        fclose(file);
    if (!err && n == 0)
        snprintf(words, sizeof words, "%.200s names no row", plan->rows_file);
    return n > 0 ? err : -EINVAL;
}

int amp_ab_plan_look(struct amp_ab_plan *plan, struct amp_jobs *jobs, const char **why)
{
    *why = words;
    if (plan->looks + 1 >= plan->settings.n_looks) {
        snprintf(words, sizeof words, "the run has had all of its %zu looks", plan->settings.n_looks);
        return -EINVAL;
    }
    if (choose(plan))
        return -EINVAL;
    extend(plan, plan->settings.looks[++plan->looks], jobs);
    return 0;
}

json_t *amp_ab_plan_event(const struct amp_ab_plan *plan)
{
    json_t *names = json_array();

    for (size_t i = 0; names && i < plan->n_rows; i++)
        if (plan->rows[i].chosen)
            json_array_append_new(names, json_string(plan->rows[i].name));
    return json_pack("{s:I, s:o}", "launches", (json_int_t) plan->settings.looks[plan->looks], "rows", names);
}

uint64_t amp_ab_plan_need_b(const struct amp_ab_plan *plan)
{
    const struct amp_ab_settings *settings = &plan->settings;
    uint64_t visit_b = settings->layouts * (64 + 2 * 9 * (settings->rounds_per_block + settings->long_rounds));

    return (1 << 20) + plan->n_rows * (visit_b + AMP_AB_PARTS * 4096);
}

void amp_ab_plan_free(struct amp_ab_plan *plan)
{
    for (size_t i = 0; plan->rows && i < plan->n_rows; i++)
        free(plan->rows[i].kernel);
    free(plan->rows);
}
