/* SPDX-License-Identifier: MIT */
#include "harness/escape/graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "harness/text/complain.h"

struct amp_value {
    LLVMValueRef value;
    int number;
    UT_hash_handle hh;
};

void *amp_escape_grow(void *array, int *room, int n, size_t size)
{
    if (n < *room)
        return array;
    *room = n < 4 ? 4 : n * 2;
    array = realloc(array, (size_t) *room * size);
    if (!array)
        exit(amp_complain(2, "escape", "there is no memory left"));
    return array;
}

void amp_graph_start(struct amp_graph *graph, LLVMValueRef function)
{
    memset(graph, 0, sizeof *graph);
    graph->function = function;
    amp_graph_new_memory(graph, AMP_OUTSIDE, NULL);
    graph->returned = amp_graph_new_value(graph);
    graph->outside = amp_graph_new_value(graph);
    amp_graph_add(graph, (struct amp_constraint){ .step = AMP_STEP_ADDRESS, .to = graph->outside, .from = 0 });
}

void amp_graph_end(struct amp_graph *graph)
{
    struct amp_value *value, *next;

    for (int m = 0; m < graph->memories; m++) {
        for (int w = 0; w < graph->memory[m].words; w++)
            free(graph->memory[m].word_at[w].holds.at);
        free(graph->memory[m].word_at);
    }
    for (int v = 0; v < graph->values; v++)
        free(graph->value[v].at);
    HASH_ITER(hh, graph->known, value, next)
    {
        HASH_DEL(graph->known, value);
        free(value);
    }
    for (int s = 0; s < graph->sights; s++)
        free(graph->sight[s].store);
    free(graph->sight);
    free(graph->memory);
    free(graph->value);
    free(graph->constraint);
    memset(graph, 0, sizeof *graph);
}

int amp_graph_new_value(struct amp_graph *graph)
{
    graph->value = amp_escape_grow(graph->value, &graph->value_room, graph->values, sizeof *graph->value);
    graph->value[graph->values] = (struct amp_facts){ .changed = -1 };
    return graph->values++;
}

int amp_graph_value(struct amp_graph *graph, LLVMValueRef value, bool *is_new)
{
    struct amp_value *known;

    HASH_FIND_PTR(graph->known, &value, known);
    *is_new = !known;
    if (!known) {
        int room = 0;

        known = amp_escape_grow(NULL, &room, 0, sizeof *known);
        known->value = value;
        known->number = amp_graph_new_value(graph);
        HASH_ADD_PTR(graph->known, value, known);
    }
    return known->number;
}

int amp_graph_new_memory(struct amp_graph *graph, enum amp_memory_kind kind, LLVMValueRef made)
{
    graph->memory = amp_escape_grow(graph->memory, &graph->memory_room, graph->memories, sizeof *graph->memory);
    graph->memory[graph->memories] =
        (struct amp_memory){ .kind = kind, .argument = -1, .word = AMP_ANY, .made = made, .changed = -1 };
    return graph->memories++;
}

int amp_graph_memory_of(struct amp_graph *graph, enum amp_memory_kind kind, int argument, int32_t word)
{
    int found;

    if (kind == AMP_HELD && (word < -AMP_HELD_WORDS || word > AMP_HELD_WORDS))
        word = AMP_ANY;
    for (int m = 0; m < graph->memories; m++) {
        const struct amp_memory *memory = &graph->memory[m];

        if (memory->kind == kind && memory->argument == argument && (kind != AMP_HELD || memory->word == word))
            return m;
    }
    found = amp_graph_new_memory(graph, kind, NULL);
    graph->memory[found].argument = argument;
    graph->memory[found].word = word;
    return found;
}

void amp_graph_add(struct amp_graph *graph, struct amp_constraint constraint)
{
    graph->constraint =
        amp_escape_grow(graph->constraint, &graph->constraint_room, graph->constraints, sizeof *graph->constraint);
    constraint.seen = constraint.sight = -1;
    graph->constraint[graph->constraints++] = constraint;
}

void amp_graph_add_sight(struct amp_graph *graph, int constraint, struct amp_sight sight)
{
    graph->sight = amp_escape_grow(graph->sight, &graph->sight_room, graph->sights, sizeof *graph->sight);
    sight.next = graph->constraint[constraint].sight;
    graph->constraint[constraint].sight = graph->sights;
    graph->sight[graph->sights++] = sight;
}

void amp_graph_restart(struct amp_graph *graph)
{
    for (int m = 0; m < graph->memories; m++) {
        for (int w = 0; w < graph->memory[m].words; w++)
            free(graph->memory[m].word_at[w].holds.at);
        graph->memory[m].words = 0;
        graph->memory[m].changed = -1;
        graph->memory[m].outside = graph->memory[m].lent = false;
    }
    for (int v = 0; v < graph->values; v++) {
        graph->value[v].n = 0;
        graph->value[v].changed = -1;
    }
    for (int c = 0; c < graph->constraints; c++)
        graph->constraint[c].seen = -1;
    graph->order = 0;
    graph->steps = 0;
}

LLVMValueRef amp_graph_next(const struct amp_graph *graph, LLVMValueRef last, int *number)
{
    const struct amp_value *value = graph->known;

    if (last) {
        HASH_FIND_PTR(graph->known, &last, value);
        value = value->hh.next;
    }
    *number = value ? value->number : -1;
    return value ? value->value : NULL;
}

const struct amp_facts *amp_graph_facts(const struct amp_graph *graph, LLVMValueRef value)
{
    const struct amp_value *known;

    HASH_FIND_PTR(graph->known, &value, known);
    return known ? &graph->value[known->number] : NULL;
}

int32_t amp_offset_add(int32_t offset, int64_t more)
{
    const int64_t most = 1 << 20;

    if (offset == AMP_ANY || more < -most || more > most || offset + more < -most || offset + more > most)
        return AMP_ANY;
    return (int32_t) (offset + more);
}

const struct amp_fact *amp_facts_find(const struct amp_facts *facts, int memory)
{
    for (int f = 0; f < facts->n; f++)
        if (facts->at[f].memory == memory)
            return &facts->at[f];
    return NULL;
}

struct amp_facts *amp_memory_word(struct amp_memory *memory, int32_t number)
{
    for (int w = 0; w < memory->words; w++)
        if (memory->word_at[w].number == number)
            return &memory->word_at[w].holds;
    memory->word_at = amp_escape_grow(memory->word_at, &memory->room, memory->words, sizeof *memory->word_at);
    memory->word_at[memory->words] = (struct amp_word){ .number = number, .holds = { .changed = -1 } };
    return &memory->word_at[memory->words++].holds;
}
