/* SPDX-License-Identifier: MIT */
#include "harness/timeline/write/totals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct entry {
    struct amp_total total;
    UT_hash_handle hh;
};

struct adder {
    struct amp_totals *out;
    struct entry *slices, *moments;
    uint64_t ns; /* of the time line */
};

static struct amp_total *total_of(struct entry **entries, const char *name, bool is_slice)
{
    struct entry *entry;

    HASH_FIND_STR(*entries, name, entry);
    if (!entry) {
        entry = calloc(1, sizeof *entry);
        if (!entry)
            return NULL;
        entry->total = (struct amp_total){ .name = name, .is_slice = is_slice };
        HASH_ADD_KEYPTR(hh, *entries, entry->total.name, strlen(name), entry);
    }
    return &entry->total;
}

static void note_end(struct adder *a, uint64_t at_ns)
{
    uint64_t part = (uint64_t) ((double) at_ns / ((double) a->ns + 1) * AMP_TOTALS_TIMES);

    a->out->ends[part < AMP_TOTALS_TIMES ? part : AMP_TOTALS_TIMES - 1]++;
}

static void note_longest(struct amp_totals *out, const struct amp_lane *lane, const struct amp_slice *slice)
{
    size_t at = out->n_longest < AMP_TOTALS_LONGEST ? out->n_longest++ : AMP_TOTALS_LONGEST - 1;

    if (at == AMP_TOTALS_LONGEST - 1 && out->longest[at].slice.name && out->longest[at].slice.ns >= slice->ns)
        return;
    for (; at > 0 && out->longest[at - 1].slice.ns < slice->ns; at--)
        out->longest[at] = out->longest[at - 1];
    out->longest[at] = (struct amp_longest){ *lane, *slice };
}

static int add_slice(void *context, const struct amp_lane *lane, const struct amp_slice *slice)
{
    struct adder *a = context;
    struct amp_total *total = total_of(&a->slices, slice->name, true);

    if (!total)
        return -ENOMEM;
    total->n++;
    total->ns += slice->ns;
    total->longest_ns = slice->ns > total->longest_ns ? slice->ns : total->longest_ns;
    note_longest(a->out, lane, slice);
    note_end(a, slice->begin_ns + slice->ns);
    return 0;
}

/* An event and the place that called it, as one name. */
static struct amp_total *total_from(struct entry **entries, const char *name, const char *from)
{
    struct amp_total *total;
    char *made;

    if (asprintf(&made, "%s, from %.*s", name, (int) strcspn(from, "\n"), from) < 0)
        return NULL;
    total = total_of(entries, made, false);
    if (total && total->name == made)
        total->made = made;
    else
        free(made);
    return total;
}

static int add_moment(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    struct adder *a = context;
    struct amp_total *total = moment->from && *moment->from ? total_from(&a->moments, moment->name, moment->from)
                                                            : total_of(&a->moments, moment->name, false);

    (void) lane;
    if (!total)
        return -ENOMEM;
    total->n++;
    note_end(a, moment->at_ns);
    return 0;
}

static int add_count(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    (void) lane;
    note_end(context, moment->at_ns);
    return 0;
}

static int in_order(const void *a, const void *b)
{
    const struct amp_total *x = a, *y = b;

    if (x->is_slice != y->is_slice)
        return x->is_slice ? -1 : 1;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void move(struct entry **entries, struct amp_totals *out)
{
    struct entry *entry, *next;

    HASH_ITER(hh, *entries, entry, next) {
        HASH_DEL(*entries, entry);
        if (out->list)
            out->list[out->n++] = entry->total;
        else
            free(entry->total.made);
        free(entry);
    }
}

int amp_totals_make(struct amp_recording *recording, struct amp_totals *out)
{
    struct adder a = { .out = out, .ns = recording->end_ns - recording->begin_ns };
    const struct amp_lanes_sink sink = { &a, NULL, NULL, add_slice, add_moment, add_count };
    int err;

    memset(out, 0, sizeof *out);
    err = amp_lanes_make(recording, &sink, &out->facts);
    out->list = calloc(HASH_COUNT(a.slices) + HASH_COUNT(a.moments) + 1, sizeof *out->list);
    if (!out->list)
        err = err ? err : -ENOMEM;
    move(&a.slices, out);
    move(&a.moments, out);
    if (out->list)
        qsort(out->list, out->n, sizeof *out->list, in_order);
    return err;
}

void amp_totals_free(struct amp_totals *totals)
{
    for (size_t i = 0; i < totals->n; i++)
        free(totals->list[i].made);
    free(totals->list);
    totals->list = NULL;
}
