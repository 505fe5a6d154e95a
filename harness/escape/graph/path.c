/* SPDX-License-Identifier: MIT
 *
 * Facts are followed from the last to the first: each was given by a constraint whose inputs are older. So the steps
 * are found backwards, and turned round at the end. */
#include "harness/escape/graph/path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHAT_MOST = 400 };

LLVMValueRef amp_called_function(LLVMValueRef call)
{
    LLVMValueRef called = LLVMGetCalledValue(call);

    return LLVMIsAFunction(called) && LLVMGetCalledFunctionType(call) == LLVMGlobalGetValueType(called) ? called : NULL;
}

static LLVMValueRef base_of(LLVMValueRef pointer)
{
    for (;;) {
        const bool is_expression = LLVMIsAConstantExpr(pointer) != NULL;
        LLVMOpcode opcode = is_expression             ? LLVMGetConstOpcode(pointer)
                            : LLVMIsAInstruction(pointer) ? LLVMGetInstructionOpcode(pointer)
                                                      : 0;

        if (opcode != LLVMGetElementPtr && opcode != LLVMBitCast)
            return pointer;
        pointer = LLVMGetOperand(pointer, 0);
    }
}

/* A struct that is too large for registers is returned through a hidden argument. */
static bool is_result(LLVMValueRef argument)
{
    LLVMValueRef function = LLVMGetParamParent(argument);

    return LLVMGetParam(function, 0) == argument &&
           LLVMGetEnumAttributeAtIndex(function, 1, LLVMGetEnumAttributeKindForName("sret", 4)) != NULL;
}

/* Where an instruction that stores has its address. */
static LLVMValueRef stored_at(LLVMValueRef at, LLVMOpcode opcode)
{
    if (opcode == LLVMStore)
        return LLVMGetOperand(at, 1);
    return opcode == LLVMAtomicRMW || opcode == LLVMAtomicCmpXchg ? LLVMGetOperand(at, 0) : NULL;
}

/* "global `list`", "the caller's memory, through argument `l`". */
static void name_place(const struct amp_graph *graph, LLVMValueRef pointer, int to, char *out, size_t room)
{
    LLVMValueRef base = pointer ? base_of(pointer) : NULL;
    size_t length = 0;
    const char *name = base && !LLVMIsAConstantExpr(base) ? LLVMGetValueName2(base, &length) : "";

    if (base && LLVMIsAGlobalVariable(base)) {
        snprintf(out, room, "global `%s`", name);
    } else if (base && LLVMIsAAllocaInst(base)) {
        snprintf(out, room, "local `%s`", name);
    } else if (base && LLVMIsAArgument(base) && is_result(base)) {
        snprintf(out, room, "the result, which lies in the caller's frame");
    } else if (base && LLVMIsAArgument(base)) {
        snprintf(out, room, "the caller's memory, by argument `%s`", name);
    } else {
        const struct amp_facts *facts = &graph->value[to];
        const enum amp_memory_kind kind = facts->n > 0 ? graph->memory[facts->at[0].memory].kind : AMP_OUTSIDE;
        static const char *const kinds[] = { "memory that outlives the call", "the caller's memory",
                                             "memory that an argument leads to", "memory that an argument leads to",
                                             "a local", "an allocation", "memory that a called function made" };

        snprintf(out, room, "%s", kinds[kind]);
    }
}

static void describe_call(LLVMValueRef call, const struct amp_edge *through, char *out, struct amp_hop *hop)
{
    LLVMValueRef called = through ? through->function : LLVMGetCalledValue(call);
    size_t length;
    const char *name = LLVMIsAFunction(called) ? LLVMGetValueName2(called, &length) : NULL;

    if (through) {
        snprintf(out, WHAT_MOST, "%s %s()", through->holder.kind == AMP_NODE_RETURNED ? "returned by" : "passed to",
                 name);
        return;
    }
    hop->assumed = true;
    if (LLVMIsAInlineAsm(called))
        snprintf(out, WHAT_MOST, "passed to assembly");
    else if (!name)
        snprintf(out, WHAT_MOST, "passed to a function through a pointer");
    else if (LLVMCountBasicBlocks(called) > 0)
        snprintf(out, WHAT_MOST, "passed to %s(), which is not followed", name);
    else
        snprintf(out, WHAT_MOST, "passed to %s(), which has no body here", name);
}

bool amp_is_call(LLVMValueRef at)
{
    return LLVMIsACallInst(at) || LLVMIsAInvokeInst(at) || LLVMGetInstructionOpcode(at) == LLVMCallBr;
}

static void push(struct amp_path *path, LLVMValueRef at, const char *what, struct amp_hop hop)
{
    path->hop = amp_escape_grow(path->hop, &path->room, path->n, sizeof *path->hop);
    hop.at = at;
    hop.what = strdup(what);
    path->hop[path->n++] = hop;
}

static void push_constraint(const struct amp_graph *graph, const struct amp_constraint *c, struct amp_path *path)
{
    struct amp_hop hop = { .through = c->through };
    char what[WHAT_MOST], place[200];
    const LLVMOpcode opcode = c->at ? LLVMGetInstructionOpcode(c->at) : 0;

    if (!c->at)
        return;
    if (opcode == LLVMRet) {
        snprintf(what, sizeof what, "returned");
    } else if (amp_is_call(c->at)) {
        if (c->through || (c->step == AMP_STEP_STORE && c->to == graph->outside)) {
            describe_call(c->at, c->through, what, &hop);
        } else if (c->step == AMP_STEP_COPY) {
            snprintf(what, sizeof what, "result of the call");
        } else if (c->step == AMP_STEP_STORE) {
            name_place(graph, NULL, c->to, place, sizeof place);
            snprintf(what, sizeof what, "copied into %s", place);
        } else {
            return;
        }
    } else if (c->step == AMP_STEP_STORE) {
        name_place(graph, stored_at(c->at, opcode), c->to, place, sizeof place);
        snprintf(what, sizeof what, "stored in %s", place);
    } else if (c->step == AMP_STEP_LOAD) {
        name_place(graph, opcode == LLVMLoad ? LLVMGetOperand(c->at, 0) : NULL, c->from, place, sizeof place);
        snprintf(what, sizeof what, "loaded from %s", place);
    } else {
        return;
    }
    push(path, c->at, what, hop);
}

static const struct amp_fact *oldest_in(const struct amp_memory *memory, int held, int before)
{
    const struct amp_fact *oldest = NULL;

    for (int w = 0; w < memory->words; w++) {
        const struct amp_fact *fact = amp_facts_find(&memory->word_at[w].holds, held);

        if (fact && fact->order < before && (!oldest || fact->order < oldest->order))
            oldest = fact;
    }
    return oldest;
}

/* Backwards: a fact of a word was stored there; one of a value was copied or loaded. */
static void follow(const struct amp_graph *graph, const struct amp_fact *fact, struct amp_path *path)
{
    while (fact) {
        const int memory = fact->memory, before = fact->order;
        const struct amp_constraint *c = fact->why >= 0 ? &graph->constraint[fact->why] : NULL;

        if (fact->why == AMP_WHY_REACHED) { /* OUTSIDE has fact->via, which holds it */
            follow(graph, oldest_in(&graph->memory[0], fact->via, before), path);
            fact = oldest_in(&graph->memory[fact->via], memory, before);
            continue;
        }
        if (!c)
            return;
        push_constraint(graph, c, path);
        if (c->step == AMP_STEP_ADDRESS)
            return;
        if (c->step == AMP_STEP_LOAD && fact->by >= 0) {
            c = &graph->constraint[fact->by];
            push_constraint(graph, c, path);
            fact = amp_facts_find(&graph->value[c->from], memory);
            if (fact && fact->order >= before)
                fact = NULL;
            continue;
        }
        if (c->step == AMP_STEP_LOAD) {
            fact = oldest_in(&graph->memory[fact->via], memory, before);
            continue;
        }
        fact = amp_facts_find(&graph->value[c->from], memory);
        if (!fact && c->step == AMP_STEP_DIFFERENCE)
            fact = amp_facts_find(&graph->value[c->other], memory);
        if (fact && fact->order >= before)
            fact = NULL;
    }
}

static void turn(struct amp_path *path, int start)
{
    for (int a = start, b = path->n - 1; a < b; a++, b--) {
        const struct amp_hop hop = path->hop[a];

        path->hop[a] = path->hop[b];
        path->hop[b] = hop;
    }
}

void amp_path_to_value(const struct amp_graph *graph, int value, int memory, struct amp_path *path)
{
    const int start = path->n;

    follow(graph, amp_facts_find(&graph->value[value], memory), path);
    turn(path, start);
}

void amp_path_to_memory(const struct amp_graph *graph, int holder, int memory, struct amp_path *path)
{
    const int start = path->n;

    follow(graph, oldest_in(&graph->memory[holder], memory, INT_MAX), path);
    turn(path, start);
}

void amp_path_free(struct amp_path *path)
{
    for (int h = 0; h < path->n; h++)
        free(path->hop[h].what);
    free(path->hop);
    *path = (struct amp_path){ 0 };
}
