/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/program.h"

#include <stdlib.h>

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
                                        .summary_of = summary_of, .program = program };
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

static bool same_size(const struct amp_size *a, const struct amp_size *b)
{
    if (a->kind == AMP_SIZE_UNKNOWN || b->kind == AMP_SIZE_UNKNOWN)
        return a->kind == b->kind;
    return a->bytes == b->bytes && a->factor[0] == b->factor[0] && a->factor[1] == b->factor[1];
}

/* All fresh memory that a function returns is of one size, or of none that is known. True if that changed. */
static bool take_size(struct amp_function *function)
{
    const struct amp_body *body = &function->body;
    const struct amp_size before = function->summary.fresh_size;
    struct amp_size size = { .kind = AMP_SIZE_UNKNOWN };
    bool first = true;

    for (int s = 0; s < body->sites; s++) {
        if (!amp_facts_find(&body->graph.value[body->graph.returned], body->site[s].memory))
            continue;
        if (first)
            size = body->site[s].size;
        else if (!same_size(&size, &body->site[s].size))
            size.kind = AMP_SIZE_UNKNOWN;
        first = false;
    }
    function->summary.fresh_size = size;
    return !same_size(&before, &size);
}

static bool take_frees(struct amp_function *function)
{
    const struct amp_body *body = &function->body;
    bool changed = false;

    for (int f = 0; f < body->frees; f++) {
        const struct amp_facts *facts = &body->graph.value[body->free[f].value];

        for (int i = 0; i < facts->n; i++) {
            const enum amp_memory_kind kind = body->graph.memory[facts->at[i].memory].kind;
            const bool alone = body->free[f].alone && kind == AMP_ARGUMENT && facts->n == 1 && body->frees == 1;
            struct amp_node node;

            if (kind != AMP_OUTSIDE && amp_summary_node(&body->graph, &function->reach, facts->at[i].memory, &node))
                changed |= amp_summary_add_freed(&function->summary, node, alone);
        }
    }
    return changed;
}

/* True if its summary changed, so that its callers must be solved again. */
static bool solve(struct amp_program *program, struct amp_function *function)
{
    const bool was_unknown = function->summary.unknown;
    bool changed;

    read_body(program, function);
    if (function->given_up)
        return false;
    if (LLVMCountBasicBlocks(function->function) > AMP_BLOCKS_MOST)
        give_up(function, "has more than 10000 blocks");
    else if (function->body.odd)
        give_up(function, "has an instruction that is not known");
    else if (function->body.graph.constraints > AMP_CONSTRAINTS_MOST)
        give_up(function, "has too many instructions");
    else if (!amp_graph_solve(&function->body.graph))
        give_up(function, "takes too many steps to solve");
    if (function->given_up)
        return !was_unknown;
    amp_reach_find(&function->body.graph, &function->reach);
    changed = amp_summary_take(&function->summary, &function->body.graph, &function->reach);
    changed |= take_frees(function);
    changed |= take_size(function);
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
    bool changed = true;

    for (int round = 0; changed; round++) {
        changed = false;
        for (int f = n - 1; f >= 0; f--) {
            if (round == AMP_ROUNDS_MOST && !circle[f]->given_up) {
                give_up(circle[f], "calls itself, and does not settle");
                circle[f]->below = -1;
            }
            changed |= solve_again(program, circle[f]);
        }
        if (n == 1 && !calls_itself(circle[0]))
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

static void find_calls(struct amp_program *program, struct amp_function *function)
{
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function->function); b; b = LLVMGetNextBasicBlock(b)) {
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at)) {
            LLVMValueRef called = amp_is_call(at) ? amp_called_function(at) : NULL;
            struct amp_function *found = called ? amp_program_find(program, called) : NULL;

            if (found)
                add_call(function, found);
        }
    }
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

void amp_program_solve(struct amp_program *program, LLVMModuleRef module)
{
    struct search search = { .program = program };
    int room = 0;

    *program = (struct amp_program){ .module = module, .layout = LLVMGetModuleDataLayout(module) };
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
    for (int f = 0; f < program->functions; f++) {
        end_body(&program->function[f]);
        free_summary(&program->function[f].summary);
        free(program->function[f].called);
        amp_loops_free(program->function[f].loops);
    }
    free(program->function);
}
