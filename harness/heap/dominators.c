/* SPDX-License-Identifier: MIT
 *
 * In here nodes are numbered in depth-first order, so that "smaller semidominator" is a comparison of numbers:
 * out->order[number] is the graph's node. */
#include "harness/heap/dominators.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const struct amp_heap_graph *graph;
    uint32_t n;       /* reached */
    uint32_t *number; /* of a node of the graph */
    uint32_t *order;
    /* By number */
    uint32_t *parent, *semi, *label, *ancestor, *idom, *bucket, *next, *path;
    uint64_t *first; /* predecessors, as the graph's edges */
    uint32_t *from;
};

/* Number all that the source reaches. `path` is the stack, `from` is not used yet; first: the edge to look at next. */
static void number_nodes(struct search *s)
{
    const struct amp_heap_graph *graph = s->graph;
    uint32_t depth = 0;

    memset(s->number, 0xff, graph->n * sizeof *s->number);
    s->number[AMP_HEAP_SOURCE] = 0;
    s->order[0] = AMP_HEAP_SOURCE;
    s->parent[0] = 0;
    s->first[0] = graph->first[AMP_HEAP_SOURCE];
    s->path[0] = 0;
    for (s->n = 1, depth = 1; depth > 0;) {
        uint32_t at = s->path[depth - 1], node = s->order[at], to;

        if (s->first[at] == graph->first[node + 1]) {
            depth--;
            continue;
        }
        to = graph->to[s->first[at]++];
        if (s->number[to] != AMP_HEAP_NOBODY)
            continue;
        s->number[to] = s->n;
        s->order[s->n] = to;
        s->parent[s->n] = at;
        s->first[s->n] = graph->first[to];
        s->path[depth++] = s->n++;
    }
}

/* Turn the edges round. */
static void find_predecessors(struct search *s)
{
    const struct amp_heap_graph *graph = s->graph;
    uint64_t sum = 0;

    memset(s->first, 0, (s->n + (size_t) 1) * sizeof *s->first);
    for (uint32_t v = 0; v < s->n; v++)
        for (uint64_t e = graph->first[s->order[v]]; e < graph->first[s->order[v] + 1]; e++)
            s->first[s->number[graph->to[e]]]++;
    for (uint32_t v = 0; v <= s->n; v++) {
        uint64_t n = v < s->n ? s->first[v] : 0;

        s->first[v] = sum;
        sum += n;
    }
    for (uint32_t v = s->n; v-- > 0;)
        for (uint64_t e = graph->first[s->order[v]]; e < graph->first[s->order[v] + 1]; e++)
            s->from[s->first[s->number[graph->to[e]]]++] = v;
    memmove(s->first + 1, s->first, s->n * sizeof *s->first); /* each has come to where the next begins */
    s->first[0] = 0;
}

/* The node of the least semidominator on the way from v up to the root of its tree in the forest; shortens the way. */
static uint32_t evaluate(struct search *s, uint32_t v)
{
    uint32_t depth = 0;

    if (s->ancestor[v] == AMP_HEAP_NOBODY)
        return v;
    for (uint32_t at = v; s->ancestor[s->ancestor[at]] != AMP_HEAP_NOBODY; at = s->ancestor[at])
        s->path[depth++] = at;
    while (depth > 0) {
        uint32_t at = s->path[--depth], above = s->ancestor[at];

        if (s->semi[s->label[above]] < s->semi[s->label[at]])
            s->label[at] = s->label[above];
        s->ancestor[at] = s->ancestor[above];
    }
    return s->label[v];
}

static void dominate(struct search *s)
{
    for (uint32_t v = 0; v < s->n; v++) {
        s->semi[v] = s->label[v] = v;
        s->ancestor[v] = s->bucket[v] = AMP_HEAP_NOBODY;
    }
    for (uint32_t w = s->n - 1; w > 0; w--) {
        uint32_t parent = s->parent[w];

        for (uint64_t e = s->first[w]; e < s->first[w + 1]; e++) {
            uint32_t u = evaluate(s, s->from[e]);

            if (s->semi[u] < s->semi[w])
                s->semi[w] = s->semi[u];
        }
        s->next[w] = s->bucket[s->semi[w]];
        s->bucket[s->semi[w]] = w;
        s->ancestor[w] = parent;
        for (uint32_t v = s->bucket[parent]; v != AMP_HEAP_NOBODY; v = s->next[v]) {
            uint32_t u = evaluate(s, v);

            s->idom[v] = s->semi[u] < s->semi[v] ? u : parent;
        }
        s->bucket[parent] = AMP_HEAP_NOBODY;
    }
    for (uint32_t w = 1; w < s->n; w++)
        if (s->idom[w] != s->semi[w])
            s->idom[w] = s->idom[s->idom[w]];
}

/* A dominator's number is below those of what it dominates. */
static void hand_out(const struct search *s, struct amp_heap_dominators *out)
{
    const struct amp_heap_graph *graph = s->graph;

    out->reached = s->n;
    memset(out->immediate, 0xff, graph->n * sizeof *out->immediate);
    for (uint32_t w = 1; w < s->n; w++)
        out->immediate[s->order[w]] = s->order[s->idom[w]];
    for (uint32_t w = 0; w < s->n; w++)
        out->retained_b[s->order[w]] = graph->size_b[s->order[w]];
    for (uint32_t w = s->n - 1; w > 0; w--)
        out->retained_b[out->immediate[s->order[w]]] += out->retained_b[s->order[w]];
}

int amp_heap_dominate(const struct amp_heap_graph *graph, struct amp_heap_dominators *out)
{
    size_t n = graph->n + (size_t) 1;
    uint32_t *words = calloc(9 * n, sizeof *words);
    struct search s = { .graph = graph, .number = words, .parent = words + n, .semi = words + 2 * n,
                        .label = words + 3 * n, .ancestor = words + 4 * n, .idom = words + 5 * n,
                        .bucket = words + 6 * n, .next = words + 7 * n, .path = words + 8 * n,
                        .first = calloc(n + 1, sizeof *s.first), .from = calloc(graph->n_edges + 1, sizeof *s.from) };

    *out = (struct amp_heap_dominators){ .order = calloc(n, sizeof *out->order),
                                         .immediate = calloc(n, sizeof *out->immediate),
                                         .retained_b = calloc(n, sizeof *out->retained_b) };
    s.order = out->order;
    if (words && s.first && s.from && out->order && out->immediate && out->retained_b) {
        number_nodes(&s);
        find_predecessors(&s);
        dominate(&s);
        hand_out(&s, out);
    }
    free(words);
    free(s.first);
    free(s.from);
    return out->reached > 0 ? 0 : -ENOMEM;
}

void amp_heap_dominators_free(struct amp_heap_dominators *dominators)
{
    free(dominators->order);
    free(dominators->immediate);
    free(dominators->retained_b);
    *dominators = (struct amp_heap_dominators){ .reached = 0 };
}
