/* SPDX-License-Identifier: MIT */
#include "harness/escape/graph/solve.h"

enum { WORD_B = 8, WORDS_APART = 64, WITHIN = 1 };

struct solver {
    struct amp_graph *graph;
    int memory_changed; /* the order of the newest fact in any memory */
    int why, by;
    bool last; /* nothing else changes any more: what is empty now stays empty */
};

static int32_t word_of(int32_t offset)
{
    int32_t word = offset >= 0 ? offset / WORD_B : -((-offset + WORD_B - 1) / WORD_B);

    return word < -WORDS_APART || word > WORDS_APART ? AMP_ANY : word;
}

void amp_words_touched(int32_t offset, int64_t size, int32_t *first, int32_t *last)
{
    *first = *last = AMP_ANY;
    if (offset == AMP_ANY || size <= 0 || size > WORDS_APART * WORD_B)
        return;
    *first = word_of(offset);
    *last = word_of((int32_t) (offset + size - 1));
    if (*first == AMP_ANY || *last == AMP_ANY)
        *first = *last = AMP_ANY;
}

/* Facts only grow: one offset, then any. */
static bool put(struct solver *solver, struct amp_facts *facts, int memory, int32_t offset, int via)
{
    struct amp_graph *graph = solver->graph;

    for (int f = 0; f < facts->n; f++) {
        if (facts->at[f].memory != memory)
            continue;
        if (facts->at[f].offset == offset || facts->at[f].offset == AMP_ANY)
            return false;
        facts->at[f].offset = AMP_ANY;
        facts->changed = ++graph->order;
        return true;
    }
    facts->at = amp_escape_grow(facts->at, &facts->room, facts->n, sizeof *facts->at);
    facts->changed = ++graph->order;
    facts->at[facts->n++] = (struct amp_fact){
        .memory = memory, .offset = offset, .why = solver->why, .via = via, .by = solver->by, .order = graph->order
    };
    return true;
}

static void put_value(struct solver *solver, int value, int memory, int32_t offset, int via)
{
    solver->graph->steps++;
    put(solver, &solver->graph->value[value], memory, offset, via);
}

static void put_memory(struct solver *solver, int holder, int32_t word, int memory, int32_t offset, int via)
{
    struct amp_memory *at = &solver->graph->memory[holder];

    solver->graph->steps++;
    if (put(solver, amp_memory_word(at, word), memory, offset, via))
        solver->memory_changed = at->changed = solver->graph->order;
}

/* What is in a caller's memory before this function writes to it. */
static void load_callers(struct solver *solver, int to, int m, int32_t first, int32_t last, bool whole)
{
    struct amp_graph *graph = solver->graph;
    const struct amp_memory memory = graph->memory[m];

    if (memory.kind == AMP_HELD || memory.kind == AMP_DEEP) {
        put_value(solver, to, amp_graph_memory_of(graph, AMP_DEEP, memory.argument, AMP_ANY), AMP_ANY, m);
        return;
    }
    for (int32_t w = first; w <= last; w++)
        put_value(solver, to, amp_graph_memory_of(graph, AMP_HELD, memory.argument, w), whole ? 0 : AMP_ANY, m);
}

static bool touch(int32_t first, int32_t last, int32_t other_first, int32_t other_last)
{
    return first == AMP_ANY || other_first == AMP_ANY || (first <= other_last && other_first <= last);
}

/* What one store that the load may see put into the words first to last. */
static void load_stored(struct solver *solver, const struct amp_constraint *c, int m, int by, int32_t first,
                        int32_t last)
{
    const struct amp_graph *graph = solver->graph;
    const struct amp_constraint *store = &graph->constraint[by];
    const struct amp_fact *to = amp_facts_find(&graph->value[store->to], m);
    int32_t store_first, store_last;

    if (!to)
        return;
    amp_words_touched(amp_offset_add(to->offset, store->offset), store->size, &store_first, &store_last);
    if (!touch(first, last, store_first, store_last))
        return;
    solver->by = by;
    for (int f = 0; f < graph->value[store->from].n; f++) {
        const struct amp_fact held = graph->value[store->from].at[f];

        put_value(solver, c->to, held.memory, c->size >= WORD_B || c->size == 0 ? held.offset : AMP_ANY, m);
    }
    solver->by = -1;
}

static const struct amp_sight *sight_of(const struct amp_graph *graph, const struct amp_constraint *c, int m)
{
    for (int s = c->sight; s >= 0; s = graph->sight[s].next)
        if (graph->sight[s].memory == m)
            return &graph->sight[s];
    return NULL;
}

/* What this function puts into memory that an argument leads to may be put into memory that it lent to the caller. */
static void load_lent(struct solver *solver, int to)
{
    struct amp_graph *graph = solver->graph;

    for (int k = 0; k < graph->memories; k++) {
        if (graph->memory[k].kind != AMP_HELD && graph->memory[k].kind != AMP_DEEP)
            continue;
        for (int w = 0; w < graph->memory[k].words; w++)
            for (int f = 0; f < graph->memory[k].word_at[w].holds.n; f++)
                put_value(solver, to, graph->memory[k].word_at[w].holds.at[f].memory, AMP_ANY, k);
    }
}

static void load_from(struct solver *solver, const struct amp_constraint *c, const struct amp_fact *from)
{
    struct amp_graph *graph = solver->graph;
    const int m = from->memory;
    const int32_t offset = amp_offset_add(from->offset, c->offset);
    const bool whole = c->size == WORD_B && offset != AMP_ANY && offset % WORD_B == 0;
    const struct amp_sight *sight = sight_of(graph, c, m);
    int32_t first, last;

    if (graph->memory[m].kind == AMP_OUTSIDE || graph->memory[m].outside)
        put_value(solver, c->to, 0, AMP_ANY, m);
    if (graph->memory[m].kind == AMP_OUTSIDE)
        return;
    amp_words_touched(offset, c->size, &first, &last);
    if (graph->memory[m].kind == AMP_ARGUMENT || graph->memory[m].kind == AMP_HELD ||
        graph->memory[m].kind == AMP_DEEP)
        load_callers(solver, c->to, m, first, last, whole);
    if (graph->memory[m].lent)
        load_lent(solver, c->to);
    for (int s = 0; sight && s < sight->stores; s++)
        load_stored(solver, c, m, sight->store[s], first, last);
    for (int w = 0; !sight && w < graph->memory[m].words; w++) {
        const int32_t number = graph->memory[m].word_at[w].number;

        if (first != AMP_ANY && number != AMP_ANY && (number < first || number > last))
            continue;
        for (int f = 0; f < graph->memory[m].word_at[w].holds.n; f++) {
            const struct amp_fact held = graph->memory[m].word_at[w].holds.at[f];

            put_value(solver, c->to, held.memory, c->size >= WORD_B || c->size == 0 ? held.offset : AMP_ANY, m);
        }
    }
}

static void store_to(struct solver *solver, const struct amp_constraint *c, const struct amp_fact *to)
{
    struct amp_graph *graph = solver->graph;
    int32_t first, last;

    if (to->memory == 0)
        first = last = AMP_ANY;
    else
        amp_words_touched(amp_offset_add(to->offset, c->offset), c->size, &first, &last);
    for (int f = 0; f < graph->value[c->from].n; f++) {
        const struct amp_fact fact = graph->value[c->from].at[f];

        for (int32_t w = first; w <= last; w++)
            put_memory(solver, to->memory, w, fact.memory, fact.offset, -1);
    }
}

static void copy(struct solver *solver, int to, int from, int32_t offset)
{
    for (int f = 0; f < solver->graph->value[from].n; f++) {
        const struct amp_fact fact = solver->graph->value[from].at[f];

        put_value(solver, to, fact.memory, offset == AMP_ANY ? AMP_ANY : amp_offset_add(fact.offset, offset), -1);
    }
}

/* Two pointers into such a memory may point into two objects. OUTSIDE's have all escaped. */
static bool stands_for_several(const struct amp_memory *memory)
{
    return memory->kind == AMP_DEEP || memory->kind == AMP_BELOW ||
           (memory->kind == AMP_HELD && memory->word == AMP_ANY);
}

/* Facts come one after the other: a side that is empty yet may still get its own. */
static bool is_distance(const struct solver *solver, const struct amp_facts *a, const struct amp_facts *b)
{
    if (a->n == 0 || b->n == 0)
        return !solver->last;
    return a->n == 1 && b->n == 1 && a->at[0].memory == b->at[0].memory &&
           !stands_for_several(&solver->graph->memory[a->at[0].memory]);
}

static void apply(struct solver *solver, const struct amp_constraint *c)
{
    struct amp_graph *graph = solver->graph;

    switch (c->step) {
    case AMP_STEP_ADDRESS:
        put_value(solver, c->to, c->from, 0, -1);
        break;
    case AMP_STEP_COPY:
        copy(solver, c->to, c->from, c->offset);
        break;
    case AMP_STEP_DIFFERENCE:
        if (c->size != WITHIN && !is_distance(solver, &graph->value[c->from], &graph->value[c->other])) {
            copy(solver, c->to, c->from, AMP_ANY);
            copy(solver, c->to, c->other, AMP_ANY);
        }
        break;
    case AMP_STEP_LOAD:
        for (int f = 0; f < graph->value[c->from].n; f++) {
            const struct amp_fact fact = graph->value[c->from].at[f];

            load_from(solver, c, &fact);
        }
        break;
    case AMP_STEP_STORE:
        for (int f = 0; f < graph->value[c->to].n; f++) {
            const struct amp_fact fact = graph->value[c->to].at[f];

            store_to(solver, c, &fact);
        }
        break;
    }
}

/* Whether a store that the load may see has more to give, though the memory may know that already from others. */
static bool sees_newer(const struct amp_graph *graph, const struct amp_constraint *c)
{
    for (int s = c->sight; s >= 0; s = graph->sight[s].next)
        for (int i = 0; i < graph->sight[s].stores; i++) {
            const struct amp_constraint *store = &graph->constraint[graph->sight[s].store[i]];

            if (graph->value[store->from].changed > c->seen || graph->value[store->to].changed > c->seen)
                return true;
        }
    return false;
}

static bool is_due(const struct solver *solver, const struct amp_constraint *c)
{
    const struct amp_graph *graph = solver->graph;

    if (c->step == AMP_STEP_ADDRESS)
        return c->seen < 0;
    if (c->step == AMP_STEP_DIFFERENCE)
        return solver->last || graph->value[c->from].changed > c->seen || graph->value[c->other].changed > c->seen;
    return graph->value[c->from].changed > c->seen ||
           (c->step == AMP_STEP_STORE && graph->value[c->to].changed > c->seen) ||
           (c->step == AMP_STEP_LOAD && (solver->memory_changed > c->seen || sees_newer(graph, c)));
}

/* What OUTSIDE reaches: all that a memory in its hands holds, too. */
static void reach(struct solver *solver)
{
    struct amp_graph *graph = solver->graph;

    solver->why = AMP_WHY_REACHED;
    for (int f = 0; f < amp_memory_word(&graph->memory[0], AMP_ANY)->n; f++) {
        const int m = amp_memory_word(&graph->memory[0], AMP_ANY)->at[f].memory;

        if (m == 0)
            continue;
        if (!graph->memory[m].outside) {
            graph->memory[m].outside = true;
            solver->memory_changed = ++graph->order;
        }
        for (int w = 0; w < graph->memory[m].words; w++)
            for (int g = 0; g < graph->memory[m].word_at[w].holds.n; g++)
                put_memory(solver, 0, AMP_ANY, graph->memory[m].word_at[w].holds.at[g].memory, AMP_ANY, m);
    }
}

/* What the caller's memory leads to, if it is made here. */
static void lend(struct solver *solver)
{
    struct amp_graph *graph = solver->graph;

    for (int m = 0; m < graph->memories; m++) {
        if (graph->memory[m].kind != AMP_ARGUMENT && graph->memory[m].kind != AMP_HELD &&
            graph->memory[m].kind != AMP_DEEP && !graph->memory[m].lent)
            continue;
        for (int w = 0; w < graph->memory[m].words; w++)
            for (int f = 0; f < graph->memory[m].word_at[w].holds.n; f++) {
                struct amp_memory *held = &graph->memory[graph->memory[m].word_at[w].holds.at[f].memory];

                if (held->lent || (held->kind != AMP_LOCAL && held->kind != AMP_HEAP && held->kind != AMP_BELOW))
                    continue;
                held->lent = true;
                solver->memory_changed = ++graph->order;
            }
    }
}

bool amp_graph_solve(struct amp_graph *graph)
{
    struct solver solver = { .graph = graph, .memory_changed = -1, .by = -1 };
    int before;

    do {
        before = graph->order;
        for (int c = 0; c < graph->constraints; c++) {
            if (!is_due(&solver, &graph->constraint[c]))
                continue;
            solver.why = c;
            graph->constraint[c].seen = graph->order;
            apply(&solver, &graph->constraint[c]);
            if (graph->steps > AMP_SOLVE_MOST)
                return false;
        }
        reach(&solver);
        lend(&solver);
        if (graph->order == before && !solver.last) {
            solver.last = true;
            before = -1;
        }
    } while (graph->order != before);
    for (int c = 0; c < graph->constraints; c++) {
        struct amp_constraint *one = &graph->constraint[c];

        if (one->step == AMP_STEP_DIFFERENCE &&
            is_distance(&solver, &graph->value[one->from], &graph->value[one->other]))
            one->size = WITHIN;
    }
    return true;
}
