/* SPDX-License-Identifier: MIT */
#include "harness/heap/graph.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct amp_heap_held {
    const void *object;
    uint8_t root;
};

/* Make room for one more item of `size` bytes in *list, which has n. */
static bool grow(struct amp_heap_graph *graph, void *list, uint64_t n, uint64_t *cap, size_t size)
{
    void **at = list, *larger;
    uint64_t more = *cap ? 2 * *cap : 1024;

    if (n < *cap)
        return true;
    larger = realloc(*at, more * size);
    if (!larger) {
        graph->err = -ENOMEM;
        return false;
    }
    *at = larger;
    *cap = more;
    return true;
}

/* The number of a name, by its text; -1 if there are too many. */
static int number_of(const char **names, uint32_t *n, const char *name)
{
    for (uint32_t i = 0; i < *n; i++)
        if (names[i] == name || strcmp(names[i], name) == 0)
            return (int) i;
    if (*n == AMP_HEAP_TYPES)
        return -1;
    names[*n] = name;
    return (int) (*n)++;
}

void amp_heap_root(struct amp_heap_graph *graph, const char *where, const void *object)
{
    int root;

    if (graph->err || !grow(graph, &graph->held, graph->n_held, &graph->cap_held, sizeof *graph->held))
        return;
    root = number_of(graph->roots, &graph->n_roots, where);
    if (root < 0)
        graph->err = -ENOSPC;
    else
        graph->held[graph->n_held++] = (struct amp_heap_held){ object, (uint8_t) root };
}

static bool grow_objects(struct amp_heap_graph *graph)
{
    uint64_t cap = graph->cap, same = cap;

    if (!grow(graph, &graph->at, graph->n, &same, sizeof *graph->at))
        return false;
    same = cap;
    if (!grow(graph, &graph->size_b, graph->n, &same, sizeof *graph->size_b))
        return false;
    same = cap;
    if (!grow(graph, &graph->type, graph->n, &same, sizeof *graph->type))
        return false;
    same = cap;
    if (!grow(graph, &graph->count, graph->n, &same, sizeof *graph->count))
        return false;
    graph->cap = same;
    return true;
}

/* While it is built, objects are numbered from 0. */
void amp_heap_object(struct amp_heap_graph *graph, const void *at, uint64_t size_b, const char *type)
{
    int number;

    if (graph->err || !grow_objects(graph))
        return;
    number = number_of(graph->types, &graph->n_types, type);
    if (number < 0 || graph->n >= AMP_HEAP_NOBODY - 2 * AMP_HEAP_TYPES) {
        graph->err = -ENOSPC;
        return;
    }
    graph->at[graph->n] = (uintptr_t) at;
    graph->size_b[graph->n] = size_b;
    graph->type[graph->n] = (uint8_t) number;
    graph->count[graph->n++] = graph->n_edges;
}

void amp_heap_edge(struct amp_heap_graph *graph, const void *to)
{
    if (!graph->err && grow(graph, &graph->target, graph->n_edges, &graph->cap_edges, sizeof *graph->target))
        graph->target[graph->n_edges++] = (uintptr_t) to;
}

/* ---- Addresses to numbers: a table with open addressing */

struct table {
    uint32_t *slots; /* an object's number */
    uint64_t mask;
    const uintptr_t *at;
};

static uint64_t slot_of(const struct table *table, uintptr_t at)
{
    uint64_t slot = (at >> 4) * 0x9e3779b97f4a7c15u;

    slot = (slot ^ slot >> 29) & table->mask;
    while (table->slots[slot] != AMP_HEAP_NOBODY && table->at[table->slots[slot]] != at)
        slot = (slot + 1) & table->mask;
    return slot;
}

static int fill(struct table *table, const struct amp_heap_graph *graph)
{
    uint64_t size = 1024;

    while (size < 2ull * graph->n)
        size *= 2;
    table->mask = size - 1;
    table->at = graph->at;
    table->slots = malloc(size * sizeof *table->slots);
    if (!table->slots)
        return -ENOMEM;
    memset(table->slots, 0xff, size * sizeof *table->slots);
    for (uint32_t i = 0; i < graph->n; i++) {
        uint64_t slot = slot_of(table, graph->at[i]);

        if (table->slots[slot] != AMP_HEAP_NOBODY)
            return -EEXIST;
        table->slots[slot] = i;
    }
    return 0;
}

/* The edges of the source (to each root's name), of the names, then of the objects. */
static void lay_out(struct amp_heap_graph *graph, const struct table *table)
{
    uint32_t before = 1 + graph->n_roots;
    uint64_t e = 0;

    graph->first[AMP_HEAP_SOURCE] = 0;
    for (uint32_t root = 0; root < graph->n_roots; root++)
        graph->to[e++] = 1 + root;
    for (uint32_t root = 0; root < graph->n_roots; root++) {
        graph->first[1 + root] = e;
        for (uint64_t i = 0; i < graph->n_held; i++) {
            uint32_t object = table->slots[slot_of(table, (uintptr_t) graph->held[i].object)];

            if (graph->held[i].root == root && object != AMP_HEAP_NOBODY)
                graph->to[e++] = before + object;
        }
    }
    for (uint32_t i = 0; i < graph->n; i++) {
        uint64_t end = i + 1 < graph->n ? graph->count[i + 1] : graph->n_edges;

        graph->first[before + i] = e;
        for (uint64_t k = graph->count[i]; k < end; k++) {
            uint32_t object = table->slots[slot_of(table, graph->target[k])];

            if (object != AMP_HEAP_NOBODY)
                graph->to[e++] = before + object;
        }
    }
    graph->first[before + graph->n] = e;
    graph->n_edges = e;
}

/* Make room for the source and the names before the objects. */
static int shift(struct amp_heap_graph *graph)
{
    uint32_t before = 1 + graph->n_roots;
    uintptr_t *at = calloc(before + (size_t) graph->n, sizeof *at);
    uint64_t *size_b = calloc(before + (size_t) graph->n, sizeof *size_b);
    uint8_t *type = calloc(before + (size_t) graph->n, sizeof *type);

    if (at && size_b && type && graph->n > 0) {
        memcpy(at + before, graph->at, graph->n * sizeof *at);
        memcpy(size_b + before, graph->size_b, graph->n * sizeof *size_b);
        memcpy(type + before, graph->type, graph->n * sizeof *type);
    }
    free(graph->at);
    free(graph->size_b);
    free(graph->type);
    graph->at = at;
    graph->size_b = size_b;
    graph->type = type;
    graph->n += before;
    return at && size_b && type ? 0 : -ENOMEM;
}

int amp_heap_link(struct amp_heap_graph *graph)
{
    struct table table = { .slots = NULL };
    int err = graph->err ? graph->err : fill(&table, graph);

    if (!err) {
        graph->first = calloc(graph->n + graph->n_roots + (size_t) 2, sizeof *graph->first);
        graph->to = calloc(graph->n_edges + graph->n_held + graph->n_roots + 1, sizeof *graph->to);
        err = graph->first && graph->to ? 0 : -ENOMEM;
    }
    if (!err) {
        lay_out(graph, &table);
        err = shift(graph);
    }
    free(table.slots);
    free(graph->target);
    free(graph->count);
    free(graph->held);
    graph->target = NULL;
    graph->count = NULL;
    graph->held = NULL;
    return err;
}

void amp_heap_free(struct amp_heap_graph *graph)
{
    free(graph->at);
    free(graph->size_b);
    free(graph->type);
    free(graph->first);
    free(graph->to);
    free(graph->target);
    free(graph->count);
    free(graph->held);
    *graph = (struct amp_heap_graph){ .n = 0 };
}
