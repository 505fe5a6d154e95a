/* SPDX-License-Identifier: MIT
 *
 * A call's summary in the caller's terms: the nodes become values of the caller, the edges its constraints.
 *
 *   ARGUMENT i     the argument itself                     FRESH    an allocation by this call
 *   HELD i, word   what is loaded from there               BELOW    another memory that this call leaves behind
 *   DEEP i         all that is loaded from that, again and again */
#include "harness/escape/bodies/body.h"

#include <stdlib.h>

enum { WORD_B = 8 };

struct application {
    struct amp_body *body;
    LLVMValueRef call;
    const struct amp_summary *summary;
    const struct amp_edge *edge; /* that is applied */
    int fresh, below;            /* values; -1: not made yet */
    int *deep;                   /* of each argument */
    int arguments;
    bool fills;  /* an edge holds that is more than "returns fresh memory" */
    bool others; /* may return something else, or a place within that is not known */
};

static void add(struct application *a, enum amp_step step, int to, int from, int32_t offset, int64_t size)
{
    amp_graph_add(&a->body->graph, (struct amp_constraint){ .step = step, .to = to, .from = from, .offset = offset,
                                                            .size = size, .at = a->call, .through = a->edge });
}

static int argument(struct application *a, int i)
{
    return i < a->arguments ? amp_body_operand(a->body, LLVMGetOperand(a->call, (unsigned) i)) : -1;
}

static int held(struct application *a, int i, int32_t word)
{
    const int from = argument(a, i);
    const int to = from < 0 ? -1 : amp_graph_new_value(&a->body->graph);

    if (to >= 0)
        add(a, AMP_STEP_LOAD, to, from, word == AMP_ANY ? AMP_ANY : word * WORD_B, word == AMP_ANY ? 0 : WORD_B);
    return to;
}

static int deep(struct application *a, int i)
{
    const int first = a->deep[i] < 0 ? held(a, i, AMP_ANY) : -1;

    if (first >= 0) {
        a->deep[i] = amp_graph_new_value(&a->body->graph);
        add(a, AMP_STEP_LOAD, a->deep[i], first, AMP_ANY, 0);
        add(a, AMP_STEP_LOAD, a->deep[i], a->deep[i], AMP_ANY, 0);
    }
    return a->deep[i];
}

static int made(struct application *a, int *value, enum amp_memory_kind kind)
{
    if (*value < 0) {
        const int memory =
            kind == AMP_HEAP
                ? amp_body_fresh(a->body, (struct amp_site){ .call = a->call, .contents = a->summary->fresh_contents,
                                                             .size = amp_size_at_call(&a->summary->fresh_size,
                                                                                      a->call),
                                                             .most_b = amp_size_most_at_call(&a->summary->fresh_size,
                                                                                             a->call),
                                                             .resizes = a->summary->fresh_resized,
                                                             .filled = a->summary->fresh_contents == AMP_SET })
                : amp_graph_new_memory(&a->body->graph, kind, a->call);

        *value = amp_graph_new_value(&a->body->graph);
        add(a, AMP_STEP_ADDRESS, *value, memory, 0, 0);
    }
    return *value;
}

static int value_of(struct application *a, struct amp_node node)
{
    switch (node.kind) {
    case AMP_NODE_OUTSIDE:
        return a->body->graph.outside;
    case AMP_NODE_ARGUMENT:
        return argument(a, node.argument);
    case AMP_NODE_HELD:
        return held(a, node.argument, node.word);
    case AMP_NODE_DEEP:
        return node.argument < a->arguments ? deep(a, node.argument) : -1;
    case AMP_NODE_FRESH:
        return made(a, &a->fresh, AMP_HEAP);
    case AMP_NODE_BELOW:
        return made(a, &a->below, AMP_BELOW);
    default:
        return amp_body_operand(a->body, a->call);
    }
}

static void apply_edge(struct application *a)
{
    const struct amp_edge *edge = a->edge;
    const int from = value_of(a, edge->held);
    int to, moved = from;

    if (from < 0)
        return;
    to = value_of(a, edge->holder);
    if (to < 0)
        return;
    if (edge->holder.kind != AMP_NODE_RETURNED)
        a->fills = true;
    else if (edge->held.kind != AMP_NODE_FRESH || edge->offset == AMP_ANY)
        a->others = true;
    if (edge->holder.kind == AMP_NODE_RETURNED) {
        add(a, AMP_STEP_COPY, to, from, edge->offset, 0);
        return;
    }
    if (edge->offset != 0) {
        moved = amp_graph_new_value(&a->body->graph);
        add(a, AMP_STEP_COPY, moved, from, edge->offset, 0);
    }
    add(a, AMP_STEP_STORE, to, moved, edge->word == AMP_ANY ? AMP_ANY : edge->word * WORD_B,
        edge->word == AMP_ANY ? 0 : WORD_B);
}

/* A struct or a number may be made of two objects. */
static bool returns_pointer(LLVMValueRef function)
{
    return LLVMGetTypeKind(LLVMGetReturnType(LLVMGlobalGetValueType(function))) == LLVMPointerTypeKind;
}

static enum amp_freeing freeing(const struct application *a, const struct amp_freed *freed)
{
    if (freed->node.kind != AMP_NODE_ARGUMENT || a->body->one_of_several)
        return AMP_FREES_ELSE;
    return freed->how == AMP_FREES_ALONE && a->summary->edges > 0 ? AMP_FREES_BESIDE : freed->how;
}

static void apply_frees(struct application *a)
{
    const struct amp_summary *summary = a->summary;

    a->edge = NULL;
    for (int f = 0; f < summary->frees; f++) {
        const int value = value_of(a, summary->freed[f].node);

        if (value >= 0)
            amp_body_add_free(a->body, (struct amp_free){ .call = a->call, .value = value,
                                                          .how = freeing(a, &summary->freed[f]) });
    }
}

void amp_body_apply(struct amp_body *body, LLVMValueRef call, LLVMValueRef function,
                    const struct amp_summary *summary)
{
    struct application a = { .body = body, .call = call, .summary = summary, .fresh = -1, .below = -1,
                             .arguments = (int) LLVMGetNumArgOperands(call) };
    const int named = (int) LLVMCountParams(function);
    int room = 0;

    a.deep = amp_escape_grow(NULL, &room, a.arguments, sizeof *a.deep);
    for (int i = 0; i < a.arguments; i++)
        a.deep[i] = -1;
    for (int e = 0; e < summary->edges; e++) {
        a.edge = summary->edge[e];
        if (!a.edge->retired)
            apply_edge(&a);
    }
    if (a.fresh >= 0 && !returns_pointer(function))
        amp_body_site(body, call)->mixed = "the called function returns it within a struct or a number";
    else if (a.fresh >= 0 && a.others)
        amp_body_site(body, call)->mixed = "the called function may return another object";
    else if (a.fresh >= 0 && a.fills)
        amp_body_site(body, call)->filled = true;
    apply_frees(&a);
    for (int i = named; i < a.arguments; i++) /* what follows "..." */
        if (argument(&a, i) >= 0)
            add(&a, AMP_STEP_STORE, body->graph.outside, argument(&a, i), 0, 0);
    free(a.deep);
}
