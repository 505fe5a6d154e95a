/* SPDX-License-Identifier: MIT
 *
 * An allocation could live in the frame if
 *
 *   its memory is reached neither from what the function returns, nor from its caller's memory, nor from OUTSIDE,
 *   its size is known and at most AMP_FRAME_MOST_B,
 *   it is not resized, and each free() of it frees it and nothing else, in this function,
 *   in a loop, a new object cannot meet an old one: the pointer is stored nowhere and joins no other way.
 *
 * The first of these that does not hold is its obstacle. */
#include "harness/escape/findings/allocations.h"

#include "harness/escape/findings/places.h"

bool amp_is_wrapper(const struct amp_summary *summary)
{
    for (int e = 0; e < summary->edges; e++) {
        const struct amp_edge *edge = summary->edge[e];

        if (edge->retired)
            continue;
        if (edge->holder.kind != AMP_NODE_RETURNED || edge->held.kind != AMP_NODE_FRESH || edge->offset != 0)
            return false;
    }
    return summary->edges > 0 && !summary->unknown;
}

struct judgement {
    const char *obstacle, *reason;
    bool freed;
};

static const char *freeing(const struct amp_body *body, int memory, bool *freed)
{
    const char *obstacle = NULL;

    for (int f = 0; f < body->frees; f++) {
        const struct amp_facts *facts = &body->graph.value[body->free[f].value];

        if (!amp_facts_find(facts, memory))
            continue;
        *freed = true;
        if (!body->free[f].alone)
            obstacle = "freed_elsewhere";
        else if (facts->n > 1 && !obstacle)
            obstacle = "freed_with_others";
    }
    return obstacle;
}

static bool is_stored(const struct amp_graph *graph, int memory)
{
    for (int m = 0; m < graph->memories; m++)
        for (int w = 0; w < graph->memory[m].words; w++)
            if (amp_facts_find(&graph->memory[m].word_at[w].holds, memory))
                return true;
    return false;
}

/* A struct or a number may be made of two objects. */
static bool returns_pointer(LLVMValueRef function)
{
    return LLVMGetTypeKind(LLVMGetReturnType(LLVMGlobalGetValueType(function))) == LLVMPointerTypeKind;
}

static struct judgement judge(const struct amp_program *program, const struct amp_function *function,
                              const struct amp_site *site)
{
    LLVMValueRef called = amp_called_function(site->call);
    const struct amp_function *maker = called ? amp_program_find(program, called) : NULL;
    const struct amp_graph *graph = &function->body.graph;
    struct judgement judgement = { NULL, NULL, false };
    const char *freed_by;

    if (function->given_up)
        return (struct judgement){ "given_up", function->given_up, false };
    freed_by = freeing(&function->body, site->memory, &judgement.freed);
    if (function->reach.from[site->memory] != AMP_FROM_NOWHERE)
        judgement.obstacle = "outlives";
    else if (site->resizes)
        judgement.obstacle = "resized", judgement.reason = "made by realloc()";
    else if (maker && !returns_pointer(called))
        judgement.obstacle = "filled", judgement.reason = "the called function returns it within a struct or a number";
    else if (maker && !amp_is_wrapper(&maker->summary))
        judgement.obstacle = "filled", judgement.reason = "the called function also fills it";
    else if (freed_by)
        judgement.obstacle = freed_by, judgement.reason = freed_by[6] == 'e' ? "resized or freed by a called function"
                                                                             : "one free() may free it or another";
    else if (site->size.kind != AMP_SIZE_KNOWN || site->size.factor[0] >= 0)
        judgement.obstacle = "size", judgement.reason = "its size is not known";
    else if (site->size.bytes > AMP_FRAME_MOST_B)
        judgement.obstacle = "large", judgement.reason = "it is larger than 64 KiB";
    else if ((function->body.returns_twice || amp_loops_hold(function->loops, site->call)) &&
             (is_stored(graph, site->memory) || amp_graph_meets_phi(graph, site->memory)))
        judgement.obstacle = "loop", judgement.reason = "objects of several rounds of a loop may live at once";
    return judgement;
}

static void set_way_out(json_t *object, const struct amp_function *function, int memory)
{
    struct amp_path path = { 0 };

    amp_reach_path(&function->body.graph, &function->reach, memory, &path);
    json_object_set_new(object, "path", amp_path_json(&path));
    json_object_set_new(object, "assumed", json_boolean(amp_path_is_assumed(&path)));
    amp_path_free(&path);
}

void amp_allocations_find(const struct amp_program *program, const struct amp_function *function, json_t *list)
{
    for (int s = 0; s < function->body.sites; s++) {
        const struct amp_site *site = &function->body.site[s];
        const struct judgement judgement = judge(program, function, site);
        LLVMValueRef called = amp_called_function(site->call);
        const bool known = site->size.kind == AMP_SIZE_KNOWN && site->size.factor[0] < 0;
        size_t length;
        json_t *object = json_object();

        amp_place_set(object, site->call);
        json_object_set_new(object, "function", amp_name_json(LLVMGetValueName2(function->function, &length)));
        json_object_set_new(object, "by", amp_name_json(LLVMGetValueName2(called, &length)));
        json_object_set_new(object, "wrapped", json_boolean(LLVMCountBasicBlocks(called) > 0));
        json_object_set_new(object, "bytes", known ? json_integer((json_int_t) site->size.bytes) : json_null());
        json_object_set_new(object, "loop", json_boolean(amp_loops_hold(function->loops, site->call)));
        json_object_set_new(object, "freed", json_boolean(judgement.freed));
        json_object_set_new(object, "obstacle", judgement.obstacle ? json_string(judgement.obstacle) : json_null());
        if (judgement.reason)
            json_object_set_new(object, "reason", json_string(judgement.reason));
        if (judgement.obstacle && strcmp(judgement.obstacle, "outlives") == 0)
            set_way_out(object, function, site->memory);
        json_array_append_new(list, object);
    }
}
