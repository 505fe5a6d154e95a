/* SPDX-License-Identifier: MIT */
#include "harness/bench/looks.h"

#include "harness/files/results.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

static char words[512];

unsigned amp_looks_launches(const struct amp_launch_options *options, enum amp_kind kind, unsigned block)
{
    /* The first look needs six; fifteen tell of as many rows as thirteen that are looked at once. */
    if (kind == AMP_KIND_SOLO)
        return block > 0 ? options->solo_launches * 5 / 2 : options->solo_launches;
    return options->launches << block;
}

/* How many blocks there may be. */
static unsigned most_blocks(const struct amp_launch_options *options, enum amp_kind kind)
{
    unsigned looks = kind == AMP_KIND_SOLO ? options->solo_looks : options->looks;

    return looks > 0 ? looks - 1 : 0;
}

bool amp_looks_has(const struct amp_launch_options *options, const struct amp_job *job)
{
    return job->kind == AMP_KIND_PAIRED && job->launch >= options->launches;
}

bool amp_looks_is_spent(const struct amp_looks *looks, const struct amp_launch_options *options)
{
    return options->looks > 0 && looks->spent_ms >= (uint64_t) options->budget_s * 1000;
}

uint64_t amp_looks_ms(double seconds)
{
    return (uint64_t) (seconds * 1000 + 0.5);
}

/* The row's place, or rows->n. */
static size_t find(const struct amp_rows *rows, const char *name)
{
    char each[256];
    size_t i = 0;

    for (; i < rows->n; i++) {
        amp_row_name(rows->row[i], each, sizeof each);
        if (strcmp(each, name) == 0)
            break;
    }
    return i;
}

static void begin_block(const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *looks)
{
    struct amp_looks_of *mine = &looks->of[looks->kind];
    unsigned to = amp_looks_launches(&plan->options, looks->kind, ++mine->blocks);

    amp_plan_extend(plan, looks->kind, looks->chosen, mine->launches, to, jobs);
    for (size_t i = 0; i < plan->rows.n; i++)
        if (looks->chosen[i])
            mine->launches[i] = to;
}

static int read_block(const json_t *event, const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *looks)
{
    const json_t *names = json_object_get(event, "rows"), *kind = json_object_get(event, "kind");
    json_int_t to = json_integer_value(json_object_get(event, "launches"));
    unsigned block;

    looks->kind = kind ? AMP_KIND_SOLO : AMP_KIND_PAIRED;
    block = looks->of[looks->kind].blocks + 1;
    memset(looks->chosen, 0, plan->rows.n * sizeof *looks->chosen);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        size_t row = name ? find(&plan->rows, name) : plan->rows.n;

        if (row == plan->rows.n)
            return -EPROTO;
        looks->chosen[row] = true;
    }
    if (block > most_blocks(&plan->options, looks->kind) ||
        to != amp_looks_launches(&plan->options, looks->kind, block))
        return -EPROTO;
    begin_block(plan, jobs, looks);
    return 0;
}

/* The time that a child of a paired block took, even if it failed. */
static void add_up(const json_t *event, const struct amp_launch_options *options, struct amp_looks *looks)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));
    json_int_t launch = json_integer_value(json_object_get(event, "launch"));

    if (kind && strcmp(kind, amp_kind_name(AMP_KIND_PAIRED)) == 0 && launch >= (json_int_t) options->launches)
        looks->spent_ms += amp_looks_ms(json_number_value(json_object_get(event, "seconds")));
}

static int read_event(const json_t *event, const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *looks)
{
    const char *name = json_string_value(json_object_get(event, "event"));

    if (name && strcmp(name, "extend") == 0)
        return read_block(event, plan, jobs, looks);
    if (name && (strcmp(name, "done") == 0 || strcmp(name, "failed") == 0))
        add_up(event, &plan->options, looks);
    return 0;
}

/* As of the first launches. */
static int begin(const struct amp_plan *plan, struct amp_looks *out)
{
    *out = (struct amp_looks){ .chosen = calloc(plan->rows.n + 1, sizeof *out->chosen) };
    for (int kind = 0; kind < AMP_KINDS; kind++) {
        out->of[kind].launches = calloc(plan->rows.n + 1, sizeof *out->of[kind].launches);
        if (!out->of[kind].launches)
            return -ENOMEM;
        for (size_t i = 0; i < plan->rows.n; i++)
            out->of[kind].launches[i] = amp_looks_launches(&plan->options, (enum amp_kind) kind, 0);
    }
    return out->chosen ? 0 : -ENOMEM;
}

int amp_looks_read(const char *journal, const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *out,
                   const char **why)
{
    FILE *file = NULL;
    char *line = NULL;
    size_t cap = 0, number = 0;
    int err = 0;

    *why = words;
    if (begin(plan, out)) {
        snprintf(words, sizeof words, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    if ((plan->options.looks > 0 || plan->options.solo_looks > 0) &&
        amp_results_look(journal) == 0) /* a run that was killed early has none */
        file = fopen(journal, "re");
    while (!err && file && getline(&line, &cap, file) > 0) {
        json_t *event = json_loads(line, 0, NULL); /* NULL for an incomplete last line */

        number++;
        err = read_event(event, plan, jobs, out);
        json_decref(event);
    }
    if (err)
        snprintf(words, sizeof words, "journal.jsonl: line %zu: %s", number,
                 err == -EPROTO ? "a block of launches that this run cannot have" : strerror(-err));
    free(line);
    if (file)
        fclose(file);
    return err;
}

/* Mark the rows that the file names. */
static int choose(const struct amp_rows *rows, const char *path, bool *chosen)
{
    FILE *file = fopen(path, "re");
    char name[256];
    size_t n = 0, row = 0;

    if (!file) {
        snprintf(words, sizeof words, "%.200s: %s", path, strerror(errno));
        return -EINVAL;
    }
    memset(chosen, 0, rows->n * sizeof *chosen);
    while (row < rows->n && fgets(name, sizeof name, file)) {
        name[strcspn(name, "\n")] = '\0';
        row = find(rows, name);
        if (row < rows->n) {
            chosen[row] = true;
            n++;
        } else {
            snprintf(words, sizeof words, "'%.200s' is no row of this run", name);
        }
    }
    fclose(file);
    if (row < rows->n && n == 0)
        snprintf(words, sizeof words, "%.200s names no row", path);
    return row < rows->n && n > 0 ? 0 : -EINVAL;
}

int amp_looks_ask(const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *looks, const char **why)
{
    const struct amp_launch_options *options = &plan->options;
    bool solo = options->solo_rows != NULL;
    unsigned most = most_blocks(options, solo ? AMP_KIND_SOLO : AMP_KIND_PAIRED);

    *why = words;
    looks->kind = solo ? AMP_KIND_SOLO : AMP_KIND_PAIRED;
    if (most == 0)
        snprintf(words, sizeof words, "the run was begun %s: its number of %slaunches is fixed",
                 solo ? "with --solo-launches" : "without --precision", solo ? "solo " : "");
    else if (looks->of[looks->kind].blocks >= most)
        snprintf(words, sizeof words, "the run has had all of its %u block%s of %slaunches", most, most > 1 ? "s" : "",
                 solo ? "solo " : "");
    else if (!solo && amp_looks_is_spent(looks, options))
        snprintf(words, sizeof words, "the budget of %u s for further launches is spent", options->budget_s);
    else if (choose(&plan->rows, solo ? options->solo_rows : options->rows, looks->chosen) == 0) {
        begin_block(plan, jobs, looks);
        return 0;
    }
    return -EINVAL;
}

json_t *amp_looks_event(const struct amp_rows *rows, const struct amp_launch_options *options,
                        const struct amp_looks *looks)
{
    json_t *names = json_array();

    for (size_t i = 0; names && i < rows->n; i++) {
        char name[256];

        amp_row_name(rows->row[i], name, sizeof name);
        if (looks->chosen[i])
            json_array_append_new(names, json_string(name));
    }
    return json_pack("{s:I, s:o, s:s*}", "launches",
                     (json_int_t) amp_looks_launches(options, looks->kind, looks->of[looks->kind].blocks), "rows",
                     names, "kind", looks->kind == AMP_KIND_SOLO ? amp_kind_name(looks->kind) : NULL);
}

void amp_looks_free(struct amp_looks *looks)
{
    for (int kind = 0; kind < AMP_KINDS; kind++)
        free(looks->of[kind].launches);
    free(looks->chosen);
    *looks = (struct amp_looks){ .chosen = NULL };
}
