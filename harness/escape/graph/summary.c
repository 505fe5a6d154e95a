/* SPDX-License-Identifier: MIT */
#include "harness/escape/graph/summary.h"

#include <stdlib.h>

/* From the memories in queue[done..n) to all that they hold. Returns the new n. */
static int spread(const struct amp_graph *graph, int *from, int *queue, int done, int n)
{
    for (; done < n; done++) {
        const struct amp_memory *memory = &graph->memory[queue[done]];

        for (int w = 0; w < memory->words; w++) {
            for (int f = 0; f < memory->word_at[w].holds.n; f++) {
                const int held = memory->word_at[w].holds.at[f].memory;

                if (from[held] == AMP_FROM_NOWHERE) {
                    from[held] = queue[done];
                    queue[n++] = held;
                }
            }
        }
    }
    return n;
}

static bool is_callers(const struct amp_memory *memory)
{
    return memory->kind == AMP_ARGUMENT || memory->kind == AMP_HELD || memory->kind == AMP_DEEP;
}

/* What is returned first, then the caller's memory, then OUTSIDE: the surest way is the one that is told. */
void amp_reach_find(const struct amp_graph *graph, struct amp_reach *reach)
{
    const struct amp_facts *returned = &graph->value[graph->returned];
    int room = 0, rooms = 0, n = 0, done = 0;
    int *queue = amp_escape_grow(NULL, &room, graph->memories, sizeof *queue);

    reach->from = amp_escape_grow(NULL, &rooms, graph->memories, sizeof *reach->from);
    for (int m = 0; m < graph->memories; m++)
        reach->from[m] = m == 0 || is_callers(&graph->memory[m]) ? AMP_FROM_START : AMP_FROM_NOWHERE;
    for (int f = 0; f < returned->n; f++) {
        if (reach->from[returned->at[f].memory] != AMP_FROM_NOWHERE)
            continue;
        reach->from[returned->at[f].memory] = AMP_FROM_RETURN;
        queue[n++] = returned->at[f].memory;
    }
    n = spread(graph, reach->from, queue, 0, n);
    done = n;
    for (int m = 1; m < graph->memories; m++)
        if (is_callers(&graph->memory[m]))
            queue[n++] = m;
    done = n = spread(graph, reach->from, queue, done, n);
    queue[n++] = 0;
    spread(graph, reach->from, queue, done, n);
    free(queue);
}

void amp_reach_path(const struct amp_graph *graph, const struct amp_reach *reach, int memory, struct amp_path *path)
{
    while (reach->from[memory] >= 0) {
        amp_path_to_memory(graph, reach->from[memory], memory, path);
        memory = reach->from[memory];
    }
    if (reach->from[memory] == AMP_FROM_RETURN)
        amp_path_to_value(graph, graph->returned, memory, path);
}

static bool only_outside(const struct amp_reach *reach, int memory)
{
    while (reach->from[memory] >= 0)
        memory = reach->from[memory];
    return memory == 0;
}

bool amp_summary_node(const struct amp_graph *graph, const struct amp_reach *reach, int m, struct amp_node *node)
{
    const struct amp_memory *memory = &graph->memory[m];

    *node = (struct amp_node){ .kind = AMP_NODE_BELOW, .argument = memory->argument, .word = AMP_ANY };
    switch (memory->kind) {
    case AMP_OUTSIDE:
        node->kind = AMP_NODE_OUTSIDE;
        return true;
    case AMP_ARGUMENT:
        node->kind = AMP_NODE_ARGUMENT;
        return true;
    case AMP_HELD:
        node->kind = AMP_NODE_HELD;
        node->word = memory->word;
        return true;
    case AMP_DEEP:
        node->kind = AMP_NODE_DEEP;
        return true;
    case AMP_HEAP:
        if (amp_facts_find(&graph->value[graph->returned], m))
            node->kind = AMP_NODE_FRESH;
        break;
    default:
        break;
    }
    return reach->from[m] != AMP_FROM_NOWHERE && !only_outside(reach, m);
}

static bool same_node(struct amp_node a, struct amp_node b)
{
    return a.kind == b.kind && a.argument == b.argument && a.word == b.word;
}

/* The edge, made if it is not there; *changed if that, or if its offset is not one any more. NULL: it was there. */
static struct amp_edge *add_edge(struct amp_summary *summary, struct amp_edge edge, bool *changed)
{
    int room = 0;

    for (int e = 0; e < summary->edges; e++) {
        struct amp_edge *known = summary->edge[e];

        if (known->retired || known->word != edge.word || !same_node(known->holder, edge.holder) ||
            !same_node(known->held, edge.held))
            continue;
        if (known->offset != edge.offset && known->offset != AMP_ANY) {
            known->offset = AMP_ANY;
            *changed = true;
        }
        return NULL;
    }
    summary->edge = amp_escape_grow(summary->edge, &summary->edge_room, summary->edges, sizeof(struct amp_edge *));
    summary->edge[summary->edges] = amp_escape_grow(NULL, &room, 0, sizeof edge);
    *summary->edge[summary->edges] = edge;
    *changed = true;
    summary->in_force++;
    return summary->edge[summary->edges++];
}

static void blur(const struct amp_summary *summary, struct amp_node *node)
{
    if (summary->coarse)
        node->word = AMP_ANY;
}

static bool take_memory(struct amp_summary *summary, const struct amp_graph *graph, const struct amp_reach *reach,
                        int m)
{
    const struct amp_memory *memory = &graph->memory[m];
    struct amp_edge edge = { .function = graph->function };
    bool changed = false;

    if (!amp_summary_node(graph, reach, m, &edge.holder))
        return false;
    blur(summary, &edge.holder);
    for (int w = 0; w < memory->words; w++) {
        for (int f = 0; f < memory->word_at[w].holds.n; f++) {
            const struct amp_fact *fact = &memory->word_at[w].holds.at[f];
            const bool told_apart = !summary->coarse && (edge.holder.kind == AMP_NODE_ARGUMENT ||
                                                         edge.holder.kind == AMP_NODE_FRESH);
            struct amp_edge *made;

            edge.word = told_apart ? memory->word_at[w].number : AMP_ANY;
            edge.offset = fact->offset;
            if (!amp_summary_node(graph, reach, fact->memory, &edge.held) || (m == 0 && fact->memory == 0))
                continue;
            blur(summary, &edge.held);
            made = add_edge(summary, edge, &changed);
            if (made)
                amp_path_to_memory(graph, m, fact->memory, &made->path);
        }
    }
    return changed;
}

static bool take_all(struct amp_summary *summary, const struct amp_graph *graph, const struct amp_reach *reach)
{
    const struct amp_facts *returned = &graph->value[graph->returned];
    struct amp_edge edge = { .function = graph->function, .word = AMP_ANY,
                             .holder = { .kind = AMP_NODE_RETURNED, .argument = -1, .word = AMP_ANY } };
    bool changed = false;

    for (int f = 0; f < returned->n; f++) {
        struct amp_edge *made;

        if (!amp_summary_node(graph, reach, returned->at[f].memory, &edge.held))
            continue;
        blur(summary, &edge.held);
        edge.offset = returned->at[f].offset;
        made = add_edge(summary, edge, &changed);
        if (made)
            amp_path_to_value(graph, graph->returned, returned->at[f].memory, &made->path);
    }
    for (int m = 0; m < graph->memories && summary->in_force <= AMP_EDGES_MOST; m++)
        changed |= take_memory(summary, graph, reach, m);
    return changed;
}

bool amp_summary_take(struct amp_summary *summary, const struct amp_graph *graph, const struct amp_reach *reach)
{
    bool changed = !summary->unknown && take_all(summary, graph, reach);

    if (!summary->coarse && summary->in_force > AMP_EDGES_MANY) {
        for (int e = 0; e < summary->edges; e++) /* paths of other functions go through them: none is freed */
            summary->edge[e]->retired = true;
        summary->in_force = 0;
        summary->coarse = true;
        take_all(summary, graph, reach);
    }
    if (summary->in_force > AMP_EDGES_MOST)
        summary->unknown = true;
    return changed;
}

bool amp_summary_add_freed(struct amp_summary *summary, struct amp_node node, enum amp_freeing how)
{
    for (int f = 0; f < summary->frees; f++) {
        if (!same_node(summary->freed[f].node, node))
            continue;
        if (summary->freed[f].how >= how)
            return false;
        summary->freed[f].how = how;
        return true;
    }
    summary->freed = amp_escape_grow(summary->freed, &summary->freed_room, summary->frees, sizeof *summary->freed);
    summary->freed[summary->frees++] = (struct amp_freed){ node, how };
    return true;
}
