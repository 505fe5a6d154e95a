/* SPDX-License-Identifier: MIT
 *
 * An allocation could live in the frame if
 *
 *   its memory is reached neither from what the function returns, nor from its caller's memory, nor from OUTSIDE,
 *   its size, or what bounds that, is known and at most AMP_FRAME_MOST_B,
 *   it is not resized, and each free() of it frees it and nothing else that must be on the heap,
 *   in a loop, a new object cannot meet an old one: older.h,
 *   the call that makes it returns no other object.
 *
 * The first of these that does not hold is its obstacle. A function that makes it and fills it, or that does more than
 * to free it, is no obstacle, but has to change with it, and is named. */
#include "harness/escape/findings/allocations.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/escape/findings/maker.h"
#include "harness/escape/findings/older.h"
#include "harness/escape/findings/places.h"
#include "harness/text/utf8.h"

enum { MAKER_ROOM = 200 };

struct judgement {
    const char *obstacle, *reason;
    bool freed;
};

static bool is_freed(const struct amp_body *body, int memory, bool *elsewhere)
{
    bool freed = false;

    *elsewhere = false;
    for (int f = 0; f < body->frees; f++) {
        if (!amp_facts_find(&body->graph.value[body->free[f].value], memory))
            continue;
        freed = true;
        *elsewhere = *elsewhere || body->free[f].how == AMP_FREES_ELSE;
    }
    return freed;
}

/* Its size, or what bounds that. */
static bool largest(const struct amp_site *site, uint64_t *bytes)
{
    if (amp_size_is_number(&site->size, bytes))
        return true;
    *bytes = site->most_b;
    return site->most_b > 0;
}

static struct judgement judge(struct amp_older *older, const struct amp_function *function,
                              const struct amp_site *site)
{
    struct judgement judgement = { NULL, NULL, false };
    bool elsewhere;
    uint64_t bytes;

    if (function->given_up)
        return (struct judgement){ "given_up", function->given_up, false };
    judgement.freed = is_freed(&function->body, site->memory, &elsewhere);
    if (function->reach.from[site->memory] != AMP_FROM_NOWHERE)
        judgement.obstacle = "outlives";
    else if (site->resizes)
        judgement.obstacle = "resized", judgement.reason = "made by realloc()";
    else if (elsewhere)
        judgement.obstacle = "freed_elsewhere", judgement.reason = "resized or freed by a called function";
    else if (!largest(site, &bytes))
        judgement.obstacle = "size", judgement.reason = "its size is not known";
    else if (bytes > AMP_FRAME_MOST_B)
        judgement.obstacle = "large", judgement.reason = "it is larger than 64 KiB";
    else if (amp_older_lives(older, site))
        judgement.obstacle = "loop", judgement.reason = "objects of several rounds of a loop may live at once";
    else if (site->mixed)
        judgement.obstacle = "mixed", judgement.reason = site->mixed;
    return judgement;
}

/* The judgement of a memory that could live in the frame; NULL: it is none. */
static struct judgement *in_frame(const struct amp_body *body, struct judgement *judged, int memory)
{
    for (int s = 0; s < body->sites; s++)
        if (body->site[s].memory == memory)
            return judged[s].obstacle ? NULL : &judged[s];
    return NULL;
}

static bool all_in_frame(const struct amp_body *body, struct judgement *judged, const struct amp_facts *facts)
{
    for (int f = 0; f < facts->n; f++)
        if (body->graph.memory[facts->at[f].memory].kind != AMP_LOCAL && !in_frame(body, judged, facts->at[f].memory))
            return false;
    return true;
}

/* A free() of one of several objects can go only if all of them could live in the frame. */
static void judge_shared(const struct amp_body *body, struct judgement *judged)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (int f = 0; f < body->frees; f++) {
            const struct amp_facts *facts = &body->graph.value[body->free[f].value];

            for (int i = 0; !all_in_frame(body, judged, facts) && i < facts->n; i++) {
                struct judgement *one = in_frame(body, judged, facts->at[i].memory);

                if (!one)
                    continue;
                *one = (struct judgement){ "freed_with_others", "one free() may free it or another", true };
                changed = true;
            }
        }
    }
}

static struct judgement *judge_all(const struct amp_function *function)
{
    struct amp_older *older = amp_older_start(function);
    int room = 0;
    struct judgement *judged = amp_escape_grow(NULL, &room, function->body.sites, sizeof *judged);

    for (int s = 0; s < function->body.sites; s++)
        judged[s] = judge(older, function, &function->body.site[s]);
    judge_shared(&function->body, judged);
    amp_older_end(older);
    return judged;
}

static void set_way_out(json_t *object, const struct amp_function *function, int memory)
{
    struct amp_path path = { 0 };

    amp_reach_path(&function->body.graph, &function->reach, memory, &path);
    json_object_set_new(object, "path", amp_path_json(&path));
    json_object_set_new(object, "assumed", json_boolean(amp_path_is_assumed(&path)));
    amp_path_free(&path);
}

static void set_more(json_t *object, const char *more)
{
    if (more)
        json_object_set_new(object, "more", json_string(more));
}

/* "malloc"; through a pointer "l_alloc", or "mine or yours". */
static void set_maker(json_t *object, struct amp_program *program, LLVMValueRef call)
{
    LLVMValueRef called = amp_called_function(call);
    const struct amp_targets *targets = called ? NULL : amp_world_targets(&program->world, call);
    char text[MAKER_ROOM] = "";
    const char *more = NULL;
    bool wrapped = false;

    for (int t = 0; t < (called ? 1 : targets->n); t++) {
        LLVMValueRef one = called ? called : targets->at[t];
        size_t length, at = strlen(text);
        const char *name = LLVMGetValueName2(one, &length);

        snprintf(text + at, sizeof text - at, "%s%s", t > 0 ? " or " : "", name);
        wrapped = wrapped || LLVMCountBasicBlocks(one) > 0;
        more = more ? more : amp_maker_does_more(one);
    }
    json_object_set_new(object, "by", amp_text_json(text));
    json_object_set_new(object, "wrapped", json_boolean(wrapped));
    json_object_set_new(object, "through_pointer", json_boolean(!called));
    set_more(object, more);
}

/* Whether each call of the function is seen, and by its name. */
static bool callers_known(const struct amp_program *program, LLVMValueRef function)
{
    for (int t = 0; t < program->world.taken.n; t++)
        if (program->world.taken.at[t] == function)
            return false;
    return LLVMGetLinkage(function) == LLVMInternalLinkage || !program->world.open[0];
}

/* "" if it is called through a pointer. */
static const char *name_of(LLVMValueRef call)
{
    LLVMValueRef called = amp_called_function(call);
    size_t length;

    return called ? LLVMGetValueName2(called, &length) : "";
}

/* Where the calls stand that free it. */
static json_t *frees_of(const struct amp_body *body, int memory)
{
    json_t *list = json_array();

    for (int f = 0; f < body->frees; f++) {
        const struct amp_facts *facts = &body->graph.value[body->free[f].value];
        LLVMValueRef called;
        json_t *place;

        if (!amp_facts_find(facts, memory))
            continue;
        place = json_object();
        amp_place_set(place, body->free[f].call);
        json_object_set_new(place, "by", amp_text_json(name_of(body->free[f].call)));
        called = amp_called_function(body->free[f].call);
        set_more(place, amp_body_freed(body, facts) > 1 ? "one free() of it frees another object, too"
                        : called                        ? amp_maker_does_more(called)
                                                        : NULL);
        json_array_append_new(list, place);
    }
    return list;
}

/* "make" or, through a pointer, the one that is called. */
static const char *reached(struct amp_program *program, LLVMValueRef call)
{
    LLVMValueRef called = amp_called_function(call);
    const struct amp_targets *targets = called ? NULL : amp_world_targets(&program->world, call);
    size_t length;

    return LLVMGetValueName2(called ? called : targets->at[0], &length);
}

static void add_change(json_t *list, struct amp_program *program, LLVMValueRef call, const char *does)
{
    json_t *change = json_object();

    json_object_set_new(change, "function", amp_text_json(reached(program, call)));
    json_object_set_new(change, "does", json_string(does));
    json_array_append_new(list, change);
}

/* The functions that would have to change if it lived in the frame. */
static json_t *changes_for(struct amp_program *program, const struct amp_body *body, const struct amp_site *site)
{
    json_t *list = json_array();

    if (site->filled)
        add_change(list, program, site->call, "fills");
    for (int f = 0; f < body->frees; f++)
        if (body->free[f].how == AMP_FREES_BESIDE &&
            amp_facts_find(&body->graph.value[body->free[f].value], site->memory))
            add_change(list, program, body->free[f].call, "frees");
    return list;
}

void amp_allocations_find(struct amp_program *program, const struct amp_function *function, json_t *list)
{
    static const char *const contents[] = { "unset", "zero", "set" };
    struct judgement *judged = judge_all(function);

    for (int s = 0; s < function->body.sites; s++) {
        const struct amp_site *site = &function->body.site[s];
        const struct judgement judgement = judged[s];
        uint64_t bytes;
        const bool known = amp_size_is_number(&site->size, &bytes);
        size_t length;
        json_t *object = json_object();

        amp_place_set(object, site->call);
        json_object_set_new(object, "function", amp_text_json(LLVMGetValueName2(function->function, &length)));
        set_maker(object, program, site->call);
        json_object_set_new(object, "head", json_integer(LLVMGetDebugLocLine(function->function)));
        json_object_set_new(object, "callers_known", json_boolean(callers_known(program, function->function)));
        json_object_set_new(object, "recursive", json_boolean(function->recursive));
        json_object_set_new(object, "contents", json_string(contents[site->contents]));
        json_object_set_new(object, "frees", frees_of(&function->body, site->memory));
        json_object_set_new(object, "bytes", known ? json_integer((json_int_t) bytes) : json_null());
        if (!known && site->most_b > 0)
            json_object_set_new(object, "at_most", json_integer((json_int_t) site->most_b));
        json_object_set_new(object, "loop", json_boolean(amp_loops_hold(function->loops, site->call)));
        json_object_set_new(object, "freed", json_boolean(judgement.freed));
        json_object_set_new(object, "obstacle", judgement.obstacle ? json_string(judgement.obstacle) : json_null());
        if (judgement.reason)
            json_object_set_new(object, "reason", json_string(judgement.reason));
        if (judgement.obstacle && strcmp(judgement.obstacle, "outlives") == 0)
            set_way_out(object, function, site->memory);
        if (!judgement.obstacle)
            json_object_set_new(object, "changes", changes_for(program, &function->body, site));
        json_array_append_new(list, object);
    }
    free(judged);
}

void amp_wrappers_find(const struct amp_function *function, json_t *list)
{
    const struct amp_summary *summary = &function->summary;
    bool fresh = false, only = !summary->unknown && !function->given_up, fills = false;
    size_t length;
    json_t *object;

    for (int e = 0; e < summary->edges; e++) {
        const struct amp_edge *edge = summary->edge[e];
        const bool returns = edge->holder.kind == AMP_NODE_RETURNED;

        if (edge->retired)
            continue;
        fresh = fresh || (returns && edge->held.kind == AMP_NODE_FRESH);
        only = only && (!returns || edge->held.kind == AMP_NODE_FRESH);
        fills = fills || !returns;
    }
    if (!fresh || !only)
        return;
    object = json_object();
    amp_place_set(object, function->function);
    json_object_set_new(object, "function", amp_text_json(LLVMGetValueName2(function->function, &length)));
    json_object_set_new(object, "fills", json_boolean(fills));
    json_array_append_new(list, object);
}
