/* SPDX-License-Identifier: MIT */
#include "harness/bench/looks.h"

#include "harness/files/results.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

static char words[512];

unsigned amp_looks_launches(const struct amp_launch_options *options, unsigned block)
{
    return options->launches << block;
}

bool amp_looks_has(const struct amp_launch_options *options, const struct amp_item *item)
{
    return item->kind == AMP_KIND_PAIRED && item->launch >= options->launches;
}

bool amp_looks_is_spent(const struct amp_looks *extension, const struct amp_launch_options *options)
{
    return options->looks > 0 && extension->spent_ms >= (uint64_t) options->budget_s * 1000;
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

static int begin_block(const struct amp_rows *rows, const unsigned *layouts, const struct amp_launch_options *options,
                       struct amp_plan *plan, struct amp_looks *extension)
{
    unsigned to = amp_looks_launches(options, ++extension->blocks);
    int err = amp_plan_extend(plan, rows, layouts, options, extension->chosen, extension->launches, to);

    for (size_t i = 0; i < rows->n; i++)
        if (extension->chosen[i])
            extension->launches[i] = to;
    return err;
}

static int read_block(const json_t *event, const struct amp_rows *rows, const unsigned *layouts,
                      const struct amp_launch_options *options, struct amp_plan *plan, struct amp_looks *extension)
{
    const json_t *names = json_object_get(event, "rows");
    json_int_t to = json_integer_value(json_object_get(event, "launches"));

    memset(extension->chosen, 0, rows->n * sizeof *extension->chosen);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        size_t row = name ? find(rows, name) : rows->n;

        if (row == rows->n)
            return -EPROTO;
        extension->chosen[row] = true;
    }
    if (extension->blocks + 1 >= options->looks || to != amp_looks_launches(options, extension->blocks + 1))
        return -EPROTO;
    return begin_block(rows, layouts, options, plan, extension);
}

/* What a child of a block took, whether it ended well or not. */
static void add_up(const json_t *event, const struct amp_launch_options *options, struct amp_looks *extension)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));
    json_int_t launch = json_integer_value(json_object_get(event, "launch"));

    if (kind && strcmp(kind, amp_kind_name(AMP_KIND_PAIRED)) == 0 && launch >= (json_int_t) options->launches)
        extension->spent_ms += amp_looks_ms(json_number_value(json_object_get(event, "seconds")));
}

static int read_event(const json_t *event, const struct amp_rows *rows, const unsigned *layouts,
                      const struct amp_launch_options *options, struct amp_plan *plan, struct amp_looks *extension)
{
    const char *name = json_string_value(json_object_get(event, "event"));

    if (name && strcmp(name, "extend") == 0)
        return read_block(event, rows, layouts, options, plan, extension);
    if (name && (strcmp(name, "done") == 0 || strcmp(name, "failed") == 0))
        add_up(event, options, extension);
    return 0;
}

int amp_looks_read(const char *journal, const struct amp_rows *rows, const unsigned *layouts,
                       const struct amp_launch_options *options, struct amp_plan *plan, struct amp_looks *out,
                       const char **why)
{
    FILE *file = NULL;
    char *line = NULL;
    size_t cap = 0, number = 0;
    int err = 0;

    *why = words;
    *out = (struct amp_looks){ .launches = calloc(rows->n + 1, sizeof *out->launches),
                                   .chosen = calloc(rows->n + 1, sizeof *out->chosen) };
    if (!out->launches || !out->chosen) {
        snprintf(words, sizeof words, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    for (size_t i = 0; i < rows->n; i++)
        out->launches[i] = options->launches;
    if (options->looks > 0 && amp_results_look(journal) == 0) /* a run that was killed early has none */
        file = fopen(journal, "re");
    while (!err && file && getline(&line, &cap, file) > 0) {
        json_t *event = json_loads(line, 0, NULL); /* NULL for a last line that was cut */

        number++;
        err = read_event(event, rows, layouts, options, plan, out);
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

int amp_looks_ask(const struct amp_rows *rows, const unsigned *layouts, const struct amp_launch_options *options,
                      struct amp_plan *plan, struct amp_looks *extension, const char **why)
{
    int err;

    *why = words;
    if (options->looks == 0)
        snprintf(words, sizeof words, "the run was begun without --precision: its number of launches is fixed");
    else if (extension->blocks + 1 >= options->looks)
        snprintf(words, sizeof words, "the run has had all of its %u blocks of launches", options->looks - 1);
    else if (amp_looks_is_spent(extension, options))
        snprintf(words, sizeof words, "the budget of %u s for further launches is spent", options->budget_s);
    if (options->looks == 0 || extension->blocks + 1 >= options->looks || amp_looks_is_spent(extension, options))
        return -EPERM;
    err = choose(rows, options->rows, extension->chosen);
    if (err)
        return err;
    err = begin_block(rows, layouts, options, plan, extension);
    if (err)
        snprintf(words, sizeof words, "%s", strerror(-err));
    return err;
}

json_t *amp_looks_event(const struct amp_rows *rows, const struct amp_launch_options *options,
                            const struct amp_looks *extension)
{
    json_t *names = json_array();

    for (size_t i = 0; names && i < rows->n; i++) {
        char name[256];

        amp_row_name(rows->row[i], name, sizeof name);
        if (extension->chosen[i])
            json_array_append_new(names, json_string(name));
    }
    return json_pack("{s:I, s:o}", "launches", (json_int_t) amp_looks_launches(options, extension->blocks), "rows",
                     names);
}

void amp_looks_free(struct amp_looks *extension)
{
    free(extension->launches);
    free(extension->chosen);
    *extension = (struct amp_looks){ .blocks = 0 };
}
