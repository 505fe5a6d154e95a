/* SPDX-License-Identifier: MIT
 *
 * An address that is stored where it outlives the frame is harmless if each way to the return overwrites it, as in
 *
 *   struct jump here = { .before = state->jump };  state->jump = &here;  ...  state->jump = here.before;
 *
 * So the ways on from the store are walked, up to a store to the same place. */
#include "harness/escape/findings/locals.h"

#include <stdlib.h>

#include "harness/escape/findings/places.h"
#include "harness/text/utf8.h"

struct walk {
    LLVMValueRef place;         /* that must be overwritten */
    LLVMBasicBlockRef *to_do;
    int n, room;
    struct seen {
        LLVMBasicBlockRef block;
        UT_hash_handle hh;
    } *seen;
};

/* The same value, or the same constant steps from the same value. */
static bool same_place(LLVMValueRef a, LLVMValueRef b)
{
    if (a == b)
        return true;
    if (!LLVMIsAGetElementPtrInst(a) || !LLVMIsAGetElementPtrInst(b) ||
        LLVMGetNumOperands(a) != LLVMGetNumOperands(b) ||
        LLVMGetGEPSourceElementType(a) != LLVMGetGEPSourceElementType(b))
        return false;
    for (int i = 0; i < LLVMGetNumOperands(a); i++)
        if (LLVMGetOperand(a, (unsigned) i) != LLVMGetOperand(b, (unsigned) i))
            return false;
    return true;
}

static void add_block(struct walk *walk, LLVMBasicBlockRef block)
{
    struct seen *seen;
    int room = 0;

    HASH_FIND_PTR(walk->seen, &block, seen);
    if (seen)
        return;
    seen = amp_escape_grow(NULL, &room, 0, sizeof *seen);
    seen->block = block;
    HASH_ADD_PTR(walk->seen, block, seen);
    walk->to_do = amp_escape_grow(walk->to_do, &walk->room, walk->n, sizeof *walk->to_do);
    walk->to_do[walk->n++] = block;
}

/* True if the way from `at` ends in a return within its block; else the blocks behind it are still to do. */
static bool returns(struct walk *walk, LLVMValueRef at)
{
    for (; at; at = LLVMGetNextInstruction(at)) {
        if (LLVMIsAReturnInst(at))
            return true;
        if (LLVMIsAStoreInst(at) && same_place(LLVMGetOperand(at, 1), walk->place))
            return false;
        if (LLVMIsATerminatorInst(at))
            for (unsigned i = 0; i < LLVMGetNumSuccessors(at); i++)
                add_block(walk, LLVMGetSuccessor(at, i));
    }
    return false;
}

static bool stays(LLVMValueRef store)
{
    struct walk walk = { .place = LLVMGetOperand(store, 1) };
    struct seen *seen, *next;
    bool found = returns(&walk, LLVMGetNextInstruction(store));

    while (!found && walk.n > 0)
        found = returns(&walk, LLVMGetFirstInstruction(walk.to_do[--walk.n]));
    HASH_ITER(hh, walk.seen, seen, next)
    {
        HASH_DEL(walk.seen, seen);
        free(seen);
    }
    free(walk.to_do);
    return found;
}

/* Calls are followed without regard to order: a way through one may never be walked. */
static bool is_certain(const struct amp_path *path)
{
    for (int h = 0; h < path->n; h++)
        if (path->hop[h].assumed || path->hop[h].through)
            return false;
    return path->n > 0;
}

/* The last store of the function itself on the way out. */
static LLVMValueRef last_store(const struct amp_path *path)
{
    LLVMValueRef store = NULL;

    for (int h = 0; h < path->n; h++)
        store = LLVMIsAStoreInst(path->hop[h].at) ? path->hop[h].at : NULL;
    return store;
}

static void add_local(const struct amp_function *function, int m, const struct amp_path *path, json_t *list)
{
    LLVMValueRef made = function->body.graph.memory[m].made;
    json_t *object = json_object();
    size_t length;

    amp_place_set(object, path->hop[0].at);
    json_object_set_new(object, "function", amp_text_json(LLVMGetValueName2(function->function, &length)));
    json_object_set_new(object, "name", amp_text_json(LLVMGetValueName2(made, &length)));
    json_object_set_new(object, "returned", json_boolean(LLVMIsAReturnInst(path->hop[path->n - 1].at) != NULL));
    json_object_set_new(object, "path", amp_path_json(path));
    json_array_append_new(list, object);
}

/* Where what is stored is a pointer, or holds one. */
static bool stores_pointer(LLVMValueRef store)
{
    return store && LLVMGetTypeKind(LLVMTypeOf(LLVMGetOperand(store, 0))) != LLVMIntegerTypeKind;
}

/* A number that was computed from an address is no pointer that anybody will follow. */
static bool reaches_by_return(const struct amp_reach *reach, int memory)
{
    while (reach->from[memory] >= 0)
        memory = reach->from[memory];
    return reach->from[memory] == AMP_FROM_RETURN;
}

void amp_locals_find(const struct amp_function *function, json_t *list)
{
    const struct amp_graph *graph = &function->body.graph;
    LLVMTypeRef type = LLVMGetReturnType(LLVMGlobalGetValueType(function->function));
    const bool returns_pointer = LLVMGetTypeKind(type) != LLVMIntegerTypeKind;

    for (int m = 0; function->reach.from && m < graph->memories; m++) {
        struct amp_path path = { 0 };
        LLVMValueRef store;

        if (!returns_pointer && reaches_by_return(&function->reach, m))
            continue;
        if (graph->memory[m].kind != AMP_LOCAL || function->reach.from[m] == AMP_FROM_NOWHERE)
            continue;
        amp_reach_path(graph, &function->reach, m, &path);
        store = last_store(&path);
        if (is_certain(&path) &&
            (LLVMIsAReturnInst(path.hop[path.n - 1].at) || (stores_pointer(store) && stays(store))))
            add_local(function, m, &path, list);
        amp_path_free(&path);
    }
}
