/* SPDX-License-Identifier: MIT */
#include "harness/lesson/missing.h"

#include "harness/lesson/layout.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>

static int note(struct amp_missing *missing, const char *lesson, const char *why)
{
    size_t n = missing->n;
    void *longer = realloc(missing->list, (n + 1) * sizeof *missing->list);

    if (!longer)
        return -ENOMEM;
    missing->list = longer;
    missing->list[n].lesson = strdup(lesson);
    missing->list[n].why = strdup(why);
    missing->n++;
    return missing->list[n].lesson && missing->list[n].why ? 0 : -ENOMEM;
}

int amp_missing_register(struct amp_registry *registry, unsigned k, bool tables, struct amp_missing *out,
                         const char **why)
{
    char *text, *rest = NULL;
    int err = amp_layout_lessons(&text, why);

    for (char *lesson = err ? NULL : strtok_r(text, "\r\n", &rest); lesson && !err;
         lesson = strtok_r(NULL, "\r\n", &rest)) {
        unsigned n = 0;
        int failed = tables ? amp_layout_count(lesson, &n, why) : 0;

        if (!failed)
            failed = amp_layout_register(registry, lesson, k, why);
        if (failed)
            err = note(out, lesson, *why);
    }
    if (err == -ENOMEM)
        *why = strerror(ENOMEM);
    free(text);
    return err;
}

struct amp_missing_row {
    struct amp_missing_row *next;
    struct amp_pair pair;
    size_t sizes[2];
    char name[];
};

static uint64_t never(void *fixture, uint64_t ops)
{
    (void) fixture, (void) ops;
    abort();
}

/* "pass/size=8"; what is named otherwise is no row. */
static int add_row(struct amp_missing *missing, struct amp_registry *registry, const char *lesson, const char *name)
{
    const char *size = name ? strstr(name, "/size=") : NULL;
    const size_t n = size ? (size_t) (size - name) : 0;
    const struct amp_pair *pair;
    struct amp_missing_row *row;

    if (n == 0 || strtoull(size + 6, NULL, 10) == 0)
        return 0;
    row = calloc(1, sizeof *row + n + 1);
    if (!row)
        return -ENOMEM;
    *row = (struct amp_missing_row){ .next = missing->rows, .sizes = { strtoull(size + 6, NULL, 10), 0 } };
    memcpy(row->name, name, n);
    row->pair = (struct amp_pair){ .name = row->name, .question = "Not known: its lesson cannot be loaded.",
                                   .value = { .run = never }, .pointer = { .run = never }, .sizes = row->sizes };
    missing->rows = row;
    pair = &row->pair;
    return amp_registry_add(registry, lesson, &pair, 1);
}

static int add_rows_of(struct amp_missing *missing, struct amp_registry *registry, const char *lesson)
{
    struct amp_layouts layouts;
    const json_t *units;
    const char *why;
    int err = 0;

    if (amp_layouts_open(lesson, &layouts, &why))
        return 0;
    units = json_object_get(layouts.table, "units");
    for (size_t i = 0; i < json_array_size(units) && !err; i++) {
        const json_t *rows = json_object_get(json_array_get(units, i), "rows");

        for (size_t k = 0; k < json_array_size(rows) && !err; k++)
            err = add_row(missing, registry, lesson, json_string_value(json_array_get(rows, k)));
    }
    amp_layouts_close(&layouts);
    if (err)
        amp_registry_drop(registry, lesson);
    return err == -EEXIST ? 0 : err; /* another lesson has these rows */
}

int amp_missing_add_rows(struct amp_missing *missing, struct amp_registry *registry)
{
    int err = 0;

    for (size_t i = 0; i < missing->n && !err; i++)
        err = add_rows_of(missing, registry, missing->list[i].lesson);
    return err;
}

static bool matches(const json_t *rows, const regex_t *filter)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *row = json_string_value(json_array_get(rows, i));

        if (row && regexec(filter, row, 0, NULL, 0) == 0)
            return true;
    }
    return false;
}

static bool has_row_like(const char *lesson, const regex_t *filter)
{
    char path[PATH_MAX];
    json_t *table, *units;
    bool found = false;

    snprintf(path, sizeof path, "%s/%s.layouts.json", amp_layout_dir(), lesson);
    table = json_load_file(path, 0, NULL);
    units = json_object_get(table, "units");
    for (size_t i = 0; i < json_array_size(units) && !found; i++)
        found = matches(json_object_get(json_array_get(units, i), "rows"), filter);
    found = found || json_array_size(units) == 0;
    json_decref(table);
    return found;
}

bool amp_missing_say(const struct amp_missing *missing, const char *filter)
{
    bool any = false;
    regex_t regex;

    if (missing->n == 0 || regcomp(&regex, filter ? filter : "", REG_EXTENDED | REG_NOSUB))
        return false;
    for (size_t i = 0; i < missing->n; i++) {
        const char *lesson = missing->list[i].lesson;
        char what[256];

        if (!has_row_like(lesson, &regex))
            continue;
        snprintf(what, sizeof what, "lesson %s", lesson);
        amp_complain(0, what, "it cannot be loaded: %s; the others go on", missing->list[i].why);
        any = true;
    }
    regfree(&regex);
    return any;
}

void amp_missing_free(struct amp_missing *missing)
{
    for (size_t i = 0; i < missing->n; i++) {
        free(missing->list[i].lesson);
        free(missing->list[i].why);
    }
    free(missing->list);
    for (struct amp_missing_row *row = missing->rows, *next; row; row = next) {
        next = row->next;
        free(row);
    }
    *missing = (struct amp_missing){ .n = 0 };
}
