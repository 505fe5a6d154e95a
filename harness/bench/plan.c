/* SPDX-License-Identifier: MIT */
#include "harness/bench/plan.h"

#include "harness/measure/rounds.h"

#include <errno.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>

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

int amp_rows_match(const struct amp_registry *registry, const char *filter, struct amp_rows *out, const char **why)
{
    static char words[256];
    regex_t regex;
    size_t matching = 0;
    int err = filter ? regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB) : 0;

    *why = words;
    *out = (struct amp_rows){ 0 };
    if (err) {
        regerror(err, &regex, words, sizeof words);
        return -EINVAL;
    }
    out->row = calloc(registry->n + 1, sizeof *out->row);
    for (size_t i = 0; out->row && i < registry->n; i++) {
        char name[256];

        amp_row_name(&registry->rows[i], name, sizeof name);
        if (!filter || regexec(&regex, name, 0, NULL, 0) == 0)
            matching++;
        else if (!registry->rows[i].pair->floor)
            continue;
        out->row[out->n++] = &registry->rows[i];
    }
    if (filter)
        regfree(&regex);
    if (!out->row)
        return -ENOMEM;
    if (matching > 0)
        return 0;
    amp_rows_free(out);
    snprintf(words, sizeof words, "no row matches");
    return -ENOENT;
}

size_t amp_rows_leave_out_threads(struct amp_rows *rows, const struct amp_row **first)
{
    size_t kept = 0, n = rows->n;

    for (size_t i = 0; i < n; i++) {
        if (rows->row[i]->pair->threads == 0)
            rows->row[kept++] = rows->row[i];
        else if (kept == i)
            *first = rows->row[i];
    }
    rows->n = kept;
    return n - kept;
}

void amp_rows_free(struct amp_rows *rows)
{
    free(rows->row);
    *rows = (struct amp_rows){ 0 };
}

/* The layout of a row's solo launch: the launches of a row go through all layouts in random order before one comes
 * again, however many launches there are. */
static int draw_layout(const struct amp_row *row, unsigned layouts, uint64_t seed, unsigned launch)
{
    char name[256];
    unsigned order[layouts];
    uint64_t random;

    amp_row_name(row, name, sizeof name);
    random = amp_random_seed(seed, name);
    for (unsigned i = 0; i < layouts; i++)
        order[i] = i;
    for (unsigned i = 0; i < layouts - 1; i++) { /* Fisher and Yates, forwards */
        unsigned j = i + (unsigned) (amp_random_next(&random) % (layouts - i)), layout = order[i];

        order[i] = order[j];
        order[j] = layout;
    }
    return (int) order[launch % layouts];
}

static void draw(const struct amp_row *row, unsigned layouts, const struct amp_launch_options *options,
                 struct amp_item *item)
{
    char identity[PATH_MAX];
    uint64_t random;

    amp_plan_path(row, item, identity, sizeof identity);
    random = amp_random_seed(options->seed, identity);
    item->seed = amp_random_next(&random) >> 11;
    item->stack_offset_b = (unsigned) (amp_random_next(&random) % 4096) * 16;
    item->environment_padding_b = (unsigned) (amp_random_next(&random) % 4096);
    item->layout = options->layout;
    if (item->kind == AMP_KIND_SOLO && item->layout < 0)
        item->layout = draw_layout(row, layouts, options->seed, item->launch);
}

/* Fisher and Yates. The load of the machine and its temperature change while a run lasts: in random order, that
 * falls on all rows alike. */
static void shuffle(struct amp_item *items, size_t n, uint64_t seed)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t) (amp_random_next(&seed) % i);
        struct amp_item item = items[i - 1];

        items[i - 1] = items[j];
        items[j] = item;
    }
}

int amp_plan_make(const struct amp_rows *rows, const unsigned *layouts, const struct amp_launch_options *options,
                  struct amp_plan *out)
{
    const unsigned launches[AMP_KINDS] = {
        [AMP_KIND_PAIRED] = options->launches,
        [AMP_KIND_COUNTS] = options->counts_launches,
        [AMP_KIND_SOLO] = options->solo_launches,
    };
    size_t n = rows->n * ((size_t) launches[AMP_KIND_PAIRED] + launches[AMP_KIND_COUNTS] + launches[AMP_KIND_SOLO]);

    *out = (struct amp_plan){ .items = calloc(n + 1, sizeof *out->items) };
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < rows->n; i++)
        for (int kind = 0; kind < AMP_KINDS; kind++)
            for (unsigned launch = 0; launch < launches[kind]; launch++) {
                struct amp_item *item = &out->items[out->n++];

                *item = (struct amp_item){ .kind = (enum amp_kind) kind, .row = i, .launch = launch };
                draw(rows->row[i], layouts[i], options, item);
            }
    shuffle(out->items, out->n, options->seed);
    return 0;
}

int amp_plan_extend(struct amp_plan *plan, const struct amp_rows *rows, const unsigned *layouts,
                    const struct amp_launch_options *options, const bool *chosen, const unsigned *launches, unsigned to)
{
    size_t n = plan->n, first = plan->n;
    struct amp_item *items;

    for (size_t i = 0; i < rows->n; i++)
        n += chosen[i] && launches[i] < to ? to - launches[i] : 0;
    items = realloc(plan->items, (n + 1) * sizeof *items);
    if (!items)
        return -ENOMEM;
    plan->items = items;
    for (size_t i = 0; i < rows->n; i++)
        for (unsigned launch = launches[i]; chosen[i] && launch < to; launch++) {
            struct amp_item *item = &plan->items[plan->n++];

            *item = (struct amp_item){ .kind = AMP_KIND_PAIRED, .row = i, .launch = launch };
            draw(rows->row[i], layouts[i], options, item);
        }
    shuffle(plan->items + first, plan->n - first, options->seed ^ to);
    return 0;
}

void amp_plan_free(struct amp_plan *plan)
{
    free(plan->items);
    *plan = (struct amp_plan){ 0 };
}

int amp_plan_path(const struct amp_row *row, const struct amp_item *item, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%s/%s/%s/size=%zu/%03u.json", kinds[item->kind].folder, AMP_CONFIGURATION,
                     row->pair->name, row->size, item->launch);

    return n < 0 || (size_t) n >= cap ? -ENAMETOOLONG : 0;
}

uint64_t amp_plan_need_b(const struct amp_rows *rows, const unsigned *layouts, const struct amp_launch_options *options)
{
    const uint64_t block_b = 4096, epoch_b = 8, layout_b = 32, table_b = 16384, fixed_b = 1 << 20;
    uint64_t need_b = fixed_b;

    for (size_t i = 0; i < rows->n; i++) {
        uint64_t paired_b = layouts[i] * (layout_b + 2 * epoch_b * options->rounds_per_block) + block_b;

        need_b += options->launches * (paired_b + block_b) +
                  (options->counts_launches + options->solo_launches) * 2 * block_b + table_b;
    }
    return need_b;
}
