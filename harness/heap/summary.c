/* SPDX-License-Identifier: MIT */
#include "harness/heap/summary.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = sizeof((struct amp_heap_large *) 0)->steps / sizeof(char *), MOST_LINES = 2000 };

struct types { /* a set */
    uint64_t bits[AMP_HEAP_TYPES / 64];
};

struct lines {
    struct amp_heap_line *list;
    size_t n, cap;
    uint32_t *of; /* of each node, its line */
};

static bool is_object(const struct amp_heap_graph *graph, uint32_t node)
{
    return node > graph->n_roots;
}

static const char *name_of(const struct amp_heap_graph *graph, uint32_t node)
{
    return is_object(graph, node) ? graph->types[graph->type[node]] : graph->roots[node - 1];
}

/* The line of this name directly below `parent`, or among those above it the one of the same type; -1: none yet. */
static int64_t find(const struct lines *lines, int64_t parent, const char *name, bool object)
{
    for (int64_t up = parent; object && up >= 0; up = lines->list[up].parent)
        if (lines->list[up].name == name)
            return up;
    for (size_t i = 0; i < lines->n; i++)
        if (lines->list[i].parent == parent && lines->list[i].name == name)
            return (int64_t) i;
    return -1;
}

static int64_t line_of(struct lines *lines, int64_t parent, const char *name, bool object)
{
    int64_t line = find(lines, parent, name, object);

    if (line >= 0)
        return line;
    if (lines->n >= MOST_LINES && parent >= 0)
        return parent;
    if (lines->n == lines->cap) {
        size_t more = lines->cap ? 2 * lines->cap : 64;
        struct amp_heap_line *larger = realloc(lines->list, more * sizeof *larger);

        if (!larger)
            return -1;
        lines->list = larger;
        lines->cap = more;
    }
    lines->list[lines->n] = (struct amp_heap_line){ .name = name, .parent = parent };
    return (int64_t) lines->n++;
}

/* Put every node that is reached into a line, dominators first. */
static int sort_into_lines(const struct amp_heap_graph *graph, const struct amp_heap_dominators *d, struct lines *lines)
{
    for (uint32_t i = 1; i < d->reached; i++) {
        uint32_t node = d->order[i], above = d->immediate[node];
        bool object = is_object(graph, node);
        int64_t parent = above == AMP_HEAP_SOURCE ? -1 : (int64_t) lines->of[above], line;

        if (object && above == AMP_HEAP_SOURCE) {
            parent = line_of(lines, -1, AMP_HEAP_SEVERAL, false);
            if (parent < 0)
                return -ENOMEM;
        }
        line = line_of(lines, parent, name_of(graph, node), object);
        if (line < 0)
            return -ENOMEM;
        lines->of[node] = (uint32_t) line;
        lines->list[line].objects += object;
        lines->list[line].own_b += graph->size_b[node];
    }
    for (size_t i = 0; i < lines->n; i++)
        for (int64_t up = (int64_t) i; up >= 0; up = lines->list[up].parent)
            lines->list[up].retained_b += lines->list[i].own_b;
    return 0;
}

/* Of each node, the types of the objects that dominate it. */
static void find_above(const struct amp_heap_graph *graph, const struct amp_heap_dominators *d, struct types *above)
{
    for (uint32_t i = 1; i < d->reached; i++) {
        uint32_t node = d->order[i], from = d->immediate[node];

        above[node] = above[from];
        if (from != AMP_HEAP_SOURCE && is_object(graph, from))
            above[node].bits[graph->type[from] / 64] |= 1ull << graph->type[from] % 64;
    }
}

static bool holds(const struct types *types, uint8_t type)
{
    return types->bits[type / 64] >> type % 64 & 1;
}

static int count_types(const struct amp_heap_graph *graph, const struct amp_heap_dominators *d,
                       const struct types *above, struct amp_heap_summary *out)
{
    out->types = calloc(graph->n_types + (size_t) 1, sizeof *out->types);
    out->n_types = graph->n_types;
    if (!out->types)
        return -ENOMEM;
    for (uint32_t i = 0; i < graph->n_types; i++)
        out->types[i] = (struct amp_heap_line){ .name = graph->types[i], .parent = -1 };
    for (uint32_t node = graph->n_roots + 1; node < graph->n; node++) {
        struct amp_heap_line *type = &out->types[graph->type[node]];

        if (d->immediate[node] == AMP_HEAP_NOBODY) {
            out->dropped_objects++;
            out->dropped_b += graph->size_b[node];
            continue;
        }
        out->objects++;
        out->live_b += graph->size_b[node];
        type->objects++;
        type->own_b += graph->size_b[node];
        type->retained_b += holds(&above[node], graph->type[node]) ? 0 : d->retained_b[node];
    }
    return 0;
}

/* Shortest ways from the source: of each node, the node before it. */
static void find_ways(const struct amp_heap_graph *graph, uint32_t *before, uint32_t *queue)
{
    uint32_t n = 1;

    memset(before, 0xff, graph->n * sizeof *before);
    before[AMP_HEAP_SOURCE] = queue[0] = AMP_HEAP_SOURCE;
    for (uint32_t i = 0; i < n; i++)
        for (uint64_t e = graph->first[queue[i]]; e < graph->first[queue[i] + 1]; e++)
            if (before[graph->to[e]] == AMP_HEAP_NOBODY) {
                before[graph->to[e]] = queue[i];
                queue[n++] = graph->to[e];
            }
}

/* Of a way that is too long, the first half of the steps that there is room for, and the last. */
static void note_way(const struct amp_heap_graph *graph, const uint32_t *before, uint32_t node,
                     struct amp_heap_large *out)
{
    uint64_t at = 0;

    for (uint32_t v = node; v != AMP_HEAP_SOURCE; v = before[v])
        out->length++;
    for (uint32_t v = node; v != AMP_HEAP_SOURCE; v = before[v], at++) {
        uint64_t from_root = out->length - 1 - at;

        if (from_root < STEPS / 2)
            out->steps[from_root] = name_of(graph, v);
        else if (at < STEPS / 2 && out->length > STEPS)
            out->steps[STEPS - 1 - at] = name_of(graph, v);
        else if (out->length <= STEPS)
            out->steps[from_root] = name_of(graph, v);
    }
    out->n_steps = out->length < STEPS ? out->length : STEPS;
}

static void find_largest(const struct amp_heap_graph *graph, const struct amp_heap_dominators *d,
                         const uint32_t *before, struct amp_heap_summary *out)
{
    uint32_t found[AMP_HEAP_LARGEST];
    size_t n = 0;

    for (uint32_t i = 1; i < d->reached; i++) {
        uint32_t node = d->order[i];
        size_t at = n;

        if (!is_object(graph, node))
            continue;
        while (at > 0 && d->retained_b[found[at - 1]] < d->retained_b[node])
            at--;
        if (at == AMP_HEAP_LARGEST)
            continue;
        n += n < AMP_HEAP_LARGEST;
        memmove(&found[at + 1], &found[at], (n - 1 - at) * sizeof *found);
        found[at] = node;
    }
    for (size_t i = 0; i < n; i++) {
        out->largest[i] = (struct amp_heap_large){ .type = name_of(graph, found[i]), .size_b = graph->size_b[found[i]],
                                                   .retained_b = d->retained_b[found[i]] };
        note_way(graph, before, found[i], &out->largest[i]);
    }
    out->n_largest = n;
}

int amp_heap_summarise(const struct amp_heap_graph *graph, const struct amp_heap_dominators *dominators,
                       struct amp_heap_summary *out)
{
    struct lines lines = { .of = calloc(graph->n, sizeof *lines.of) };
    struct types *above = calloc(graph->n, sizeof *above);
    uint32_t *before = calloc(graph->n, sizeof *before), *queue = calloc(graph->n, sizeof *queue);
    int err = lines.of && above && before && queue ? 0 : -ENOMEM;

    *out = (struct amp_heap_summary){ .objects = 0 };
    if (!err)
        err = sort_into_lines(graph, dominators, &lines);
    out->paths = lines.list;
    out->n_paths = lines.n;
    if (!err) {
        find_above(graph, dominators, above);
        err = count_types(graph, dominators, above, out);
    }
    if (!err) {
        find_ways(graph, before, queue);
        find_largest(graph, dominators, before, out);
    }
    free(lines.of);
    free(above);
    free(before);
    free(queue);
    return err;
}

void amp_heap_summary_free(struct amp_heap_summary *summary)
{
    free(summary->types);
    free(summary->paths);
    *summary = (struct amp_heap_summary){ .objects = 0 };
}
