/* SPDX-License-Identifier: MIT
 *
 * When the line makes its next object, an older one can be met only from a value that is computed already and used
 * behind, or from what such a value leads to: the memories that it may point into, what was stored there on a way to
 * the line and was not ended, and so on. A local counts only if what it held is also read behind the line; an
 * allocation is another object once its own line has run, if that meets no older one. Where setjmp() is called, all
 * that is stored or joined counts, since the order is not what it seems. */
#include "harness/escape/findings/older.h"

#include <stdlib.h>
#include <string.h>

#include "harness/escape/bodies/sights.h"

enum { NESTED_MOST = 2, MADE = -2 /* the event of the site's own line */ };
#define CALLS_MOST 4000000 /* memories that are looked at for what calls may read */

struct amp_older {
    const struct amp_function *function;
    struct amp_histories histories; /* order: NULL until a site stands in a loop */
    int nested;
    int64_t left;
};

struct amp_older *amp_older_start(const struct amp_function *function)
{
    int room = 0;
    struct amp_older *older = amp_escape_grow(NULL, &room, 0, sizeof *older);

    *older = (struct amp_older){ .function = function, .left = CALLS_MOST };
    return older;
}

void amp_older_end(struct amp_older *older)
{
    amp_histories_free(&older->histories);
    free(older);
}

static bool *flags(int n)
{
    int room = 0;
    bool *set = amp_escape_grow(NULL, &room, n, sizeof *set);

    memset(set, 0, (size_t) n * sizeof *set);
    return set;
}

/* Add all that the memories of the set hold, and what that holds. */
static void add_held(const struct amp_graph *graph, bool *set)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (int m = 1; m < graph->memories; m++)
            for (int w = 0; set[m] && w < graph->memory[m].words; w++)
                for (int f = 0; f < graph->memory[m].word_at[w].holds.n; f++) {
                    const int held = graph->memory[m].word_at[w].holds.at[f].memory;

                    changed |= !set[held];
                    set[held] = true;
                }
    }
}

/* A called function may read all that its arguments lead to. Intrinsics read what their constraints say. */
static void add_reads_of_call(struct amp_older *older, LLVMValueRef call)
{
    const struct amp_graph *graph = &older->function->body.graph;
    LLVMValueRef called = amp_called_function(call);
    size_t length;
    bool *set;

    if (called && strncmp(LLVMGetValueName2(called, &length), "llvm.", 5) == 0)
        return;
    set = flags(graph->memories);
    for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++) {
        const struct amp_facts *facts = amp_graph_facts(graph, LLVMGetOperand(call, i));

        for (int f = 0; facts && f < facts->n; f++)
            set[facts->at[f].memory] = true;
    }
    add_held(graph, set);
    for (int m = 0; m < graph->memories; m++)
        if (set[m] && graph->memory[m].kind == AMP_LOCAL)
            amp_events_add(&older->histories.of[m],
                           (struct amp_event){ .at = amp_order_of(older->histories.order, call),
                                               .kind = AMP_EVENT_READ, .first_b = INT64_MIN, .end_b = INT64_MAX,
                                               .constraint = -1 });
    older->left -= graph->memories;
    free(set);
}

static void find_histories(struct amp_older *older)
{
    const struct amp_body *body = &older->function->body;

    if (older->histories.order)
        return;
    amp_histories_find(body, &older->histories);
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(body->function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at && older->left > 0; at = LLVMGetNextInstruction(at))
            if (amp_is_call(at))
                add_reads_of_call(older, at);
    for (int m = 0; m < older->histories.n; m++)
        amp_events_sort(&older->histories.of[m]);
}

/* A walk that ends at what it looks for, or where the bytes are overwritten. */
struct walk {
    int64_t first_b, end_b;
    int wanted; /* the constraint of the event; -1: any read of the bytes */
    bool found;
};

static bool visit(void *state, const struct amp_event *event)
{
    struct walk *walk = state;

    if (walk->found || amp_event_ends(event, walk->first_b, walk->end_b))
        return true;
    walk->found = event->kind == AMP_EVENT_READ &&
                  (walk->wanted == MADE ? event->constraint == MADE
                                        : event->constraint != MADE && event->first_b < walk->end_b &&
                                              walk->first_b < event->end_b);
    return walk->found;
}

static bool meets(struct amp_older *older, int from, const struct amp_events *events, struct walk walk)
{
    return !amp_order_walk_on(older->histories.order, from, events, visit, &walk) || walk.found;
}

/* The events of a memory, the line of the site, and for another site's memory the line that makes it anew. */
static void gather(struct amp_older *older, int m, const struct amp_site *site, struct amp_events *events)
{
    const struct amp_body *body = &older->function->body;
    const struct amp_events *own = &older->histories.of[m];

    for (int e = 0; e < own->n; e++)
        amp_events_add(events, own->at[e]);
    amp_events_add(events, (struct amp_event){ .at = amp_order_of(older->histories.order, site->call),
                                               .kind = AMP_EVENT_READ, .constraint = MADE });
    for (int s = 0; s < body->sites && m != site->memory; s++)
        if (body->site[s].memory == m && older->nested < NESTED_MOST && !amp_older_lives(older, &body->site[s]))
            amp_events_add(events, (struct amp_event){ .at = amp_order_of(older->histories.order, body->site[s].call),
                                                       .kind = AMP_EVENT_END, .first_b = INT64_MIN,
                                                       .end_b = INT64_MAX, .constraint = -1 });
    amp_events_sort(events);
}

static bool holds(const struct amp_memory *memory, int held)
{
    for (int w = 0; w < memory->words; w++)
        if (amp_facts_find(&memory->word_at[w].holds, held))
            return true;
    return false;
}

/* Whether memory m may hold a pointer into `held`, from before the site's line, that is read behind it. */
static bool holds_older(struct amp_older *older, int m, int held, const struct amp_site *site)
{
    const struct amp_graph *graph = &older->function->body.graph;
    const enum amp_memory_kind kind = graph->memory[m].kind;
    const int made = amp_order_of(older->histories.order, site->call);
    struct amp_events events = { 0 };
    bool found = false;

    if (!holds(&graph->memory[m], held) || (kind != AMP_LOCAL && kind != AMP_HEAP))
        return holds(&graph->memory[m], held);
    gather(older, m, site, &events);
    for (int e = 0; e < events.n && !found; e++) {
        const struct amp_event *event = &events.at[e];
        struct walk walk = { .first_b = event->first_b, .end_b = event->end_b, .wanted = MADE };

        if (event->kind != AMP_EVENT_STORE ||
            !amp_facts_find(&graph->value[graph->constraint[event->constraint].from], held) ||
            !meets(older, event->at, &events, walk))
            continue;
        walk.wanted = -1;
        found = kind == AMP_HEAP || meets(older, made, &events, walk);
    }
    free(events.at);
    return found;
}

static void add_use(struct amp_older *older, LLVMValueRef value, LLVMValueRef user, struct amp_events *events)
{
    struct amp_event event = { .kind = AMP_EVENT_READ, .first_b = INT64_MIN, .end_b = INT64_MAX, .constraint = -1 };
    LLVMValueRef called = LLVMIsACallInst(user) ? amp_called_function(user) : NULL;
    size_t length;

    if (called && strncmp(LLVMGetValueName2(called, &length), "llvm.lifetime.", 14) == 0)
        return;
    if (!LLVMIsAPHINode(user)) {
        event.at = amp_order_of(older->histories.order, user);
        amp_events_add(events, event);
        return;
    }
    for (unsigned i = 0; i < LLVMCountIncoming(user); i++)
        if (LLVMGetIncomingValue(user, i) == value) { /* used where the way to the join leaves */
            event.at = amp_order_of(older->histories.order,
                                    LLVMGetBasicBlockTerminator(LLVMGetIncomingBlock(user, i)));
            amp_events_add(events, event);
        }
}

/* Whether a value that was computed before the instruction `made` may be used behind it. */
static bool is_live(struct amp_older *older, LLVMValueRef value, LLVMValueRef made)
{
    struct amp_event end = { .kind = AMP_EVENT_END, .first_b = INT64_MIN, .end_b = INT64_MAX, .constraint = -1 };
    struct amp_events events = { 0 };
    bool live;

    for (LLVMUseRef use = LLVMGetFirstUse(value); use; use = LLVMGetNextUse(use))
        add_use(older, value, LLVMGetUser(use), &events);
    end.at = amp_order_of(older->histories.order, value);
    amp_events_add(&events, end);
    amp_events_sort(&events);
    live = meets(older, amp_order_of(older->histories.order, made), &events,
                 (struct walk){ .first_b = INT64_MIN, .end_b = INT64_MAX, .wanted = -1 });
    free(events.at);
    return live;
}

static bool leads(const bool *leading, const struct amp_facts *facts)
{
    for (int f = 0; f < facts->n; f++)
        if (leading[facts->at[f].memory])
            return true;
    return false;
}

/* The memories from which a way leads to `to`, and that. */
static bool *find_leading(const struct amp_graph *graph, int to)
{
    bool *leading = flags(graph->memories), changed = true;

    leading[to] = true;
    while (changed) {
        changed = false;
        for (int m = 1; m < graph->memories; m++)
            for (int w = 0; !leading[m] && w < graph->memory[m].words; w++)
                if (leads(leading, &graph->memory[m].word_at[w].holds))
                    leading[m] = changed = true;
    }
    return leading;
}

/* Whether the site's memory is reached from the set, by what is held across its line. */
static bool reaches(struct amp_older *older, bool *set, const bool *leading, const struct amp_site *site)
{
    const int n = older->function->body.graph.memories;
    bool changed = true;

    while (changed && !set[site->memory]) {
        changed = false;
        for (int m = 1; m < n; m++)
            for (int held = 1; held < n && set[m]; held++)
                if (leading[held] && !set[held] && holds_older(older, m, held, site))
                    set[held] = changed = true;
    }
    return set[site->memory];
}

static bool is_joined_or_stored(const struct amp_graph *graph, int memory)
{
    LLVMValueRef value = NULL;
    int number;

    for (int m = 0; m < graph->memories; m++)
        if (holds(&graph->memory[m], memory))
            return true;
    while ((value = amp_graph_next(graph, value, &number)))
        if (LLVMIsAPHINode(value) && amp_facts_find(&graph->value[number], memory))
            return true;
    return false;
}

bool amp_older_lives(struct amp_older *older, const struct amp_site *site)
{
    const struct amp_graph *graph = &older->function->body.graph;
    bool *set, *leading, lives;
    LLVMValueRef value = NULL;
    int number;

    if (older->function->body.returns_twice)
        return is_joined_or_stored(graph, site->memory);
    if (!amp_loops_hold(older->function->loops, site->call))
        return false;
    find_histories(older);
    if (older->left <= 0)
        return true;
    older->nested++;
    set = flags(graph->memories);
    leading = find_leading(graph, site->memory);
    while ((value = amp_graph_next(graph, value, &number)))
        if (LLVMIsAInstruction(value) && value != site->call && leads(leading, &graph->value[number]) &&
            is_live(older, value, site->call))
            for (int f = 0; f < graph->value[number].n; f++)
                set[graph->value[number].at[f].memory] = true;
    lives = reaches(older, set, leading, site);
    older->nested--;
    free(set);
    free(leading);
    return lives;
}
