/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/program.h"

#include <stdlib.h>
#include <string.h>

#include "harness/escape/bodies/sights.h"
#include "harness/escape/graph/solve.h"

struct search {
    struct amp_program *program;
    struct amp_function **path, **open;
    int paths, opens, index;
};

struct amp_function *amp_program_find(const struct amp_program *program, LLVMValueRef function)
{
    struct amp_function *found;

    HASH_FIND_PTR(program->known, &function, found);
    return found;
}

static const struct amp_summary *summary_of(void *program, LLVMValueRef function)
{
    struct amp_function *found = amp_program_find(program, function);

    return found ? &found->summary : NULL;
}

static const struct amp_targets *targets_of(void *program, LLVMValueRef call)
{
    return amp_world_targets(&((struct amp_program *) program)->world, call);
}

static void end_body(struct amp_function *function)
{
    amp_graph_end(&function->body.graph);
    free(function->body.site);
    free(function->body.free);
    free(function->reach.from);
    function->body = (struct amp_body){ 0 };
    function->reach.from = NULL;
}

static void read_body(struct amp_program *program, struct amp_function *function)
{
    end_body(function);
    function->body = (struct amp_body){ .function = function->function, .layout = program->layout,
                                        .summary_of = summary_of, .targets_of = targets_of,
                                        .program = program };
    amp_graph_start(&function->body.graph, function->function);
    amp_body_read(&function->body);
}

static void give_up(struct amp_function *function, const char *why)
{
    function->given_up = why;
    function->summary.unknown = true;
    free(function->reach.from);
    function->reach.from = NULL;
}

static bool points_into(struct amp_body *body, LLVMValueRef operand, int memory)
{
    const int value = amp_body_operand(body, operand);

    return value >= 0 && amp_facts_find(&body->graph.value[value], memory);
}

/* Whether the instruction may write into the memory: a call that gets a pointer to it may. */
static bool writes(struct amp_body *body, LLVMValueRef at, int memory)
{
    LLVMValueRef called;
    size_t length;
    const char *name;

    if (LLVMIsAStoreInst(at))
        return points_into(body, LLVMGetOperand(at, 1), memory);
    if (LLVMIsAAtomicRMWInst(at) || LLVMIsAAtomicCmpXchgInst(at))
        return points_into(body, LLVMGetOperand(at, 0), memory);
    if (!amp_is_call(at))
        return false;
    called = amp_called_function(at);
    name = called ? LLVMGetValueName2(called, &length) : "";
    if (strncmp(name, "llvm.dbg.", 9) == 0 || strncmp(name, "llvm.lifetime.", 14) == 0)
        return false;
    for (unsigned i = 0; i < LLVMGetNumArgOperands(at); i++)
        if (points_into(body, LLVMGetOperand(at, i), memory))
            return true;
    return false;
}

static bool is_written(struct amp_body *body, int memory)
{
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(body->function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at))
            if (writes(body, at, memory))
                return true;
    return false;
}

/* All fresh memory that a function returns is of one size, or of none that is known; so with what it holds. True if
 * that changed. */
static bool take_fresh(struct amp_function *function)
{
    struct amp_body *body = &function->body;
    const struct amp_size before = function->summary.fresh_size;
    const enum amp_contents held = function->summary.fresh_contents;
    const bool was_resized = function->summary.fresh_resized;
    struct amp_size size = { 0 };
    enum amp_contents contents = AMP_UNSET;
    bool first = true;

    for (int s = 0; s < body->sites; s++) {
        const struct amp_site *site = &body->site[s];
        enum amp_contents here = site->contents;

        if (!amp_facts_find(&body->graph.value[body->graph.returned], site->memory))
            continue;
        function->summary.fresh_resized = function->summary.fresh_resized || site->resizes;
        if (amp_facts_find(&body->graph.value[body->graph.returned], site->memory)->offset != 0 ||
            is_written(body, site->memory))
            here = AMP_SET;
        if (!first && !amp_size_is_same(&size, &site->size))
            size.n = 0;
        else if (first)
            size = site->size;
        contents = first || contents == here ? here : AMP_SET;
        first = false;
    }
    function->summary.fresh_size = size;
    function->summary.fresh_contents = contents;
    return !amp_size_is_same(&before, &size) || held != contents || was_resized != function->summary.fresh_resized;
}

/* Whether each free() of the function frees this memory and nothing else. */
static bool frees_only(const struct amp_body *body, int memory)
{
    for (int f = 0; f < body->frees; f++) {
        const struct amp_facts *facts = &body->graph.value[body->free[f].value];

        if (body->free[f].how != AMP_FREES_ALONE || amp_body_freed(body, facts) != 1 || !amp_facts_find(facts, memory))
            return false;
    }
    return true;
}

static enum amp_freeing freeing(const struct amp_body *body, const struct amp_free *freed, int memory)
{
    if (freed->how == AMP_FREES_ELSE || amp_body_freed(body, &body->graph.value[freed->value]) != 1)
        return AMP_FREES_ELSE;
    return frees_only(body, memory) ? AMP_FREES_ALONE : AMP_FREES_BESIDE;
}

static bool take_frees(struct amp_function *function)
{
    const struct amp_body *body = &function->body;
    bool changed = false;

    for (int f = 0; f < body->frees; f++) {
        const struct amp_facts *facts = &body->graph.value[body->free[f].value];

        for (int i = 0; i < facts->n; i++) {
            const int memory = facts->at[i].memory;
            struct amp_node node;

            if (memory != 0 && amp_summary_node(&body->graph, &function->reach, memory, &node))
                changed |= amp_summary_add_freed(&function->summary, node, freeing(body, &body->free[f], memory));
        }
    }
    return changed;
}

/* Without order of execution first; then again, with loads that see only what may have run before. */
static bool solve_graph(struct amp_body *body)
{
    struct amp_graph *graph = &body->graph;
    bool solved = amp_graph_solve(graph);
    const int64_t steps = graph->steps;

    if (solved && amp_sights_find(body)) {
        amp_graph_restart(graph);
        solved = amp_graph_solve(graph);
        graph->steps += steps;
    }
    return solved;
}

/* True if its summary changed, so that its callers must be solved again. */
static bool solve(struct amp_program *program, struct amp_function *function)
{
    const bool was_unknown = function->summary.unknown;
    bool changed;

    program->held -= function->body.graph.constraints + function->body.graph.order;
    read_body(program, function);
    if (function->given_up)
        return false;
    if (LLVMCountBasicBlocks(function->function) > AMP_BLOCKS_MOST)
        give_up(function, "has more than 10000 blocks");
    else if (function->body.odd)
        give_up(function, "has an instruction that is not known");
    else if (function->body.graph.constraints > AMP_CONSTRAINTS_MOST)
        give_up(function, "has too many instructions");
    else if (program->exhausted)
        give_up(function, "comes when the program has taken too many steps");
    else if (!solve_graph(&function->body))
        give_up(function, "takes too many steps to solve");
    program->held += function->body.graph.constraints + function->body.graph.order;
    program->steps += function->body.graph.steps;
    program->exhausted = program->held > AMP_HELD_MOST || program->steps > AMP_STEPS_MOST;
    if (function->given_up)
        return !was_unknown;
    amp_reach_find(&function->body.graph, &function->reach);
    changed = amp_summary_take(&function->summary, &function->body.graph, &function->reach);
    changed |= take_frees(function);
    changed |= take_fresh(function);
    return changed || was_unknown != function->summary.unknown;
}

static bool calls_itself(const struct amp_function *function)
{
    for (int c = 0; c < function->calls; c++)
        if (function->called[c] == function)
            return true;
    return false;
}

/* How often the summaries of all that it calls have changed so far. */
static int changes_below(const struct amp_function *function)
{
    int changes = 0;

    for (int c = 0; c < function->calls; c++)
        changes += function->called[c]->changes;
    return changes;
}

/* Solve a function unless nothing that it calls has changed since. True if its own summary changed. */
static bool solve_again(struct amp_program *program, struct amp_function *function)
{
    const int below = changes_below(function);

    if (function->below == below)
        return false;
    function->below = below;
    if (!solve(program, function))
        return false;
    function->changes++;
    return true;
}

/* The last one that the search found lies deepest: it calls the least of the others. */
static void solve_circle(struct amp_program *program, struct amp_function **circle, int n)
{
    const bool recursive = n > 1 || calls_itself(circle[0]);
    bool changed = true;

    for (int f = 0; f < n; f++)
        circle[f]->recursive = recursive;
    for (int round = 0; changed; round++) {
        changed = false;
        for (int f = n - 1; f >= 0; f--) {
            if (round == AMP_ROUNDS_MOST && !circle[f]->given_up) {
                give_up(circle[f], "calls itself, and does not settle");
                circle[f]->below = -1;
            }
            changed |= solve_again(program, circle[f]);
        }
        if (!recursive)
            break;
    }
}

static void add_call(struct amp_function *function, struct amp_function *called)
{
    for (int c = 0; c < function->calls; c++)
        if (function->called[c] == called)
            return;
    function->called =
        amp_escape_grow(function->called, &function->call_room, function->calls, sizeof(struct amp_function *));
    function->called[function->calls++] = called;
}

static void find_call(struct amp_program *program, struct amp_function *function, LLVMValueRef call)
{
    LLVMValueRef called = amp_called_function(call);
    const struct amp_targets *targets = called ? NULL : amp_world_targets(&program->world, call);

    for (int t = 0; t < (called ? 1 : targets->n); t++) {
        struct amp_function *found = amp_program_find(program, called ? called : targets->at[t]);

        if (found)
            add_call(function, found);
    }
    function->through_pointers += !called && !LLVMIsAInlineAsm(LLVMGetCalledValue(call));
    function->resolved += !called && targets->n > 0;
}

static void find_calls(struct amp_program *program, struct amp_function *function)
{
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function->function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at))
            if (amp_is_call(at))
                find_call(program, function, at);
}

static void enter(struct search *search, struct amp_function *function)
{
    function->index = function->low = ++search->index;
    function->on_stack = true;
    search->path[search->paths++] = search->open[search->opens++] = function;
}

static void leave(struct search *search)
{
    struct amp_function *function = search->path[--search->paths];
    int first = search->opens;

    if (search->paths > 0 && function->low < search->path[search->paths - 1]->low)
        search->path[search->paths - 1]->low = function->low;
    if (function->low != function->index)
        return;
    do
        search->open[--first]->on_stack = false;
    while (search->open[first] != function);
    solve_circle(search->program, search->open + first, search->opens - first);
    search->opens = first;
}

static void visit(struct search *search, struct amp_function *first)
{
    enter(search, first);
    while (search->paths > 0) {
        struct amp_function *function = search->path[search->paths - 1], *to;

        if (function->next >= function->calls) {
            leave(search);
            continue;
        }
        to = function->called[function->next++];
        if (to->index == 0)
            enter(search, to);
        else if (to->on_stack && to->index < function->low)
            function->low = to->index;
    }
}

static void list_functions(struct amp_program *program)
{
    int room = 0;

    for (LLVMValueRef f = LLVMGetFirstFunction(program->module); f; f = LLVMGetNextFunction(f))
        program->functions += LLVMCountBasicBlocks(f) > 0;
    program->function = amp_escape_grow(NULL, &room, program->functions, sizeof *program->function);
    program->functions = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(program->module); f; f = LLVMGetNextFunction(f)) {
        struct amp_function *function = &program->function[program->functions];

        if (LLVMCountBasicBlocks(f) == 0)
            continue;
        *function = (struct amp_function){ .function = f, .loops = amp_loops_find(f), .below = -1 };
        HASH_ADD_PTR(program->known, function, function);
        program->functions++;
    }
}

void amp_program_solve(struct amp_program *program, LLVMModuleRef module, struct amp_fields *fields,
                       enum amp_whole whole)
{
    struct search search = { .program = program };
    int room = 0;

    *program = (struct amp_program){ .module = module, .layout = LLVMGetModuleDataLayout(module) };
    amp_world_find(&program->world, module, fields, whole);
    list_functions(program);
    for (int f = 0; f < program->functions; f++)
        find_calls(program, &program->function[f]);
    search.path = amp_escape_grow(NULL, &room, program->functions, sizeof(struct amp_function *));
    room = 0;
    search.open = amp_escape_grow(NULL, &room, program->functions, sizeof(struct amp_function *));
    for (int f = 0; f < program->functions; f++)
        if (program->function[f].index == 0)
            visit(&search, &program->function[f]);
    free(search.path);
    free(search.open);
}

static void free_summary(struct amp_summary *summary)
{
    for (int e = 0; e < summary->edges; e++) {
        amp_path_free(&summary->edge[e]->path);
        free(summary->edge[e]);
    }
    free(summary->edge);
    free(summary->freed);
}

void amp_program_free(struct amp_program *program)
{
    HASH_CLEAR(hh, program->known);
    amp_world_free(&program->world);
    for (int f = 0; f < program->functions; f++) {
        end_body(&program->function[f]);
        free_summary(&program->function[f].summary);
        free(program->function[f].called);
        amp_loops_free(program->function[f].loops);
    }
    free(program->function);
}
