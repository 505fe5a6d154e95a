/* SPDX-License-Identifier: MIT */
#include "harness/lesson/rows.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>

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

bool amp_rows_read_shard(const char *text, unsigned *k, unsigned *n)
{
    int length = 0;

    return text[0] >= '0' && text[0] <= '9' && sscanf(text, "%4u/%4u%n", k, n, &length) == 2 && !text[length] &&
           text[strcspn(text, "/") + 1] >= '0' && text[strcspn(text, "/") + 1] <= '9' && *k >= 1 && *k <= *n;
}

/* Which pair in the order of the list a row's is; floors do not count. Rows of a template's pairs come by turns. */
static size_t number_of_pair(const char **names, size_t *n, const char *name)
{
    size_t i = 0;

    while (i < *n && strcmp(names[i], name) != 0)
        i++;
    if (i == *n)
        names[(*n)++] = name;
    return i;
}

size_t amp_rows_keep_shard(struct amp_rows *rows, unsigned k, unsigned n)
{
    const char **names = calloc(rows->n + 1, sizeof *names);
    size_t kept = 0, n_pairs = 0, own = 0;

    for (size_t i = 0; names && i < rows->n; i++) {
        const struct amp_pair *pair = rows->row[i]->pair;
        bool is_own = !pair->floor && number_of_pair(names, &n_pairs, pair->name) % n == k - 1;

        own += is_own;
        if (is_own || pair->floor)
            rows->row[kept++] = rows->row[i];
    }
    rows->n = kept;
    free(names);
    return own;
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
