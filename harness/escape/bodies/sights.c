/* SPDX-License-Identifier: MIT
 *
 * Only a local of which each call of the function has one can be ended by a store: where it is the function's first
 * block that makes it. A store ends what it covers if its address is that local's by its text. The stores that a load
 * sees come from the graph as it was solved without order, which knows each store into a memory, and perhaps more. */
#include "harness/escape/bodies/sights.h"

#include <stdlib.h>
#include <string.h>

#include "harness/escape/targets/member.h"

/* The local that an address points into by its text, and the offset there; NULL if that is not said. */
static LLVMValueRef local_of(const struct amp_body *body, LLVMValueRef address, int64_t *offset)
{
    *offset = 0;
    while (LLVMIsAGetElementPtrInst(address) || LLVMIsABitCastInst(address)) {
        const int32_t more = LLVMIsABitCastInst(address) ? 0 : amp_address_offset(body->layout, address);

        if (more == AMP_ANY)
            return NULL;
        *offset += more;
        address = LLVMGetOperand(address, 0);
    }
    return LLVMIsAAllocaInst(address) && LLVMGetInstructionParent(address) == LLVMGetEntryBasicBlock(body->function)
               ? address
               : NULL;
}

static void add_end(const struct amp_body *body, struct amp_histories *histories, LLVMValueRef at, LLVMValueRef address,
                    int64_t bytes)
{
    int64_t offset;
    LLVMValueRef local = local_of(body, address, &offset);
    const struct amp_facts *facts = local ? amp_graph_facts(&body->graph, local) : NULL;
    struct amp_event event = { .kind = AMP_EVENT_END, .first_b = offset, .end_b = offset + bytes, .constraint = -1 };

    if (!facts || facts->n != 1)
        return;
    if (bytes < 0) {
        event.first_b = INT64_MIN;
        event.end_b = INT64_MAX;
    }
    event.at = amp_order_of(histories->order, at);
    amp_events_add(&histories->of[facts->at[0].memory], event);
}

/* What an instruction ends: a store what it covers; a scope that begins or is left all that its local held. */
static void read_end(const struct amp_body *body, struct amp_histories *histories, LLVMValueRef at)
{
    LLVMValueRef called;
    size_t length;
    const char *name;

    if (LLVMIsAStoreInst(at) && !LLVMGetVolatile(at) && LLVMTypeIsSized(LLVMTypeOf(LLVMGetOperand(at, 0)))) {
        add_end(body, histories, at, LLVMGetOperand(at, 1),
                (int64_t) LLVMStoreSizeOfType(body->layout, LLVMTypeOf(LLVMGetOperand(at, 0))));
        return;
    }
    called = LLVMIsACallInst(at) ? amp_called_function(at) : NULL;
    name = called ? LLVMGetValueName2(called, &length) : "";
    if (strncmp(name, "llvm.lifetime.", 14) == 0)
        add_end(body, histories, at, LLVMGetOperand(at, 1), -1);
    else if ((strncmp(name, "llvm.memcpy.", 12) == 0 || strncmp(name, "llvm.memset.", 12) == 0) &&
             LLVMIsAConstantInt(LLVMGetOperand(at, 2)) && LLVMIsNull(LLVMGetOperand(at, 3)))
        add_end(body, histories, at, LLVMGetOperand(at, 0), (int64_t) LLVMConstIntGetZExtValue(LLVMGetOperand(at, 2)));
}

static void read_access(const struct amp_body *body, struct amp_histories *histories, int number)
{
    const struct amp_constraint *c = &body->graph.constraint[number];
    const struct amp_facts *facts = &body->graph.value[c->step == AMP_STEP_STORE ? c->to : c->from];

    for (int f = 0; f < facts->n; f++) {
        const struct amp_memory *memory = &body->graph.memory[facts->at[f].memory];
        const int32_t offset = amp_offset_add(facts->at[f].offset, c->offset);
        struct amp_event event = { .first_b = INT64_MIN, .end_b = INT64_MAX, .constraint = number };

        if (memory->kind != AMP_LOCAL && memory->kind != AMP_HEAP)
            continue;
        event.at = amp_order_of(histories->order, c->at);
        event.kind = c->step == AMP_STEP_STORE ? AMP_EVENT_STORE : AMP_EVENT_READ;
        if (c->offset != AMP_ANY && offset != AMP_ANY && c->size > 0) {
            event.first_b = offset;
            event.end_b = offset + c->size;
        }
        amp_events_add(&histories->of[facts->at[f].memory], event);
    }
}

void amp_histories_find(const struct amp_body *body, struct amp_histories *histories)
{
    const struct amp_graph *graph = &body->graph;
    int room = 0;

    histories->order = amp_order_find(body->function);
    histories->n = graph->memories;
    histories->of = amp_escape_grow(NULL, &room, graph->memories, sizeof *histories->of);
    memset(histories->of, 0, (size_t) graph->memories * sizeof *histories->of);
    for (int c = 0; c < graph->constraints; c++)
        if (graph->constraint[c].step == AMP_STEP_STORE || graph->constraint[c].step == AMP_STEP_LOAD)
            read_access(body, histories, c);
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(body->function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at))
            read_end(body, histories, at);
    for (int m = 0; m < histories->n; m++)
        amp_events_sort(&histories->of[m]);
}

void amp_histories_free(struct amp_histories *histories)
{
    for (int m = 0; m < histories->n; m++)
        free(histories->of[m].at);
    free(histories->of);
    amp_order_free(histories->order);
    *histories = (struct amp_histories){ 0 };
}

bool amp_event_ends(const struct amp_event *event, int64_t first_b, int64_t end_b)
{
    return event->kind == AMP_EVENT_END && event->first_b <= first_b && end_b <= event->end_b;
}

struct look {
    int64_t first_b, end_b; /* what the load reads */
    struct amp_sight sight;
};

static bool look(void *state, const struct amp_event *event)
{
    struct look *look = state;
    struct amp_sight *sight = &look->sight;

    if (amp_event_ends(event, look->first_b, look->end_b) || sight->stores > AMP_SIGHT_STORES_MOST)
        return true;
    if (event->kind != AMP_EVENT_STORE)
        return false;
    for (int s = 0; s < sight->stores; s++)
        if (sight->store[s] == event->constraint)
            return false;
    sight->store = amp_escape_grow(sight->store, &sight->room, sight->stores, sizeof *sight->store);
    sight->store[sight->stores++] = event->constraint;
    return false;
}

/* What a call reads may come from what it stores itself; what another instruction reads is older than that. */
static void look_at_own(struct look *state, const struct amp_events *events, int at)
{
    for (int e = 0; e < events->n; e++)
        if (events->at[e].at == at && events->at[e].kind == AMP_EVENT_STORE)
            look(state, &events->at[e]);
}

static bool add_sight(struct amp_body *body, const struct amp_histories *histories, int m, const struct amp_event *read)
{
    const struct amp_events *events = &histories->of[m];
    struct look state = { .first_b = read->first_b, .end_b = read->end_b, .sight = { .memory = m } };
    int stores = 0;

    for (int e = 0; e < events->n; e++)
        stores += events->at[e].kind == AMP_EVENT_STORE;
    if (amp_is_call(body->graph.constraint[read->constraint].at))
        look_at_own(&state, events, read->at);
    if (amp_order_walk_back(histories->order, read->at, events, look, &state) &&
        state.sight.stores <= AMP_SIGHT_STORES_MOST && state.sight.stores < stores) {
        amp_graph_add_sight(&body->graph, read->constraint, state.sight);
        return true;
    }
    free(state.sight.store);
    return false;
}

static bool stores_into_own(const struct amp_graph *graph)
{
    for (int m = 0; m < graph->memories; m++)
        if ((graph->memory[m].kind == AMP_LOCAL || graph->memory[m].kind == AMP_HEAP) && graph->memory[m].words > 0)
            return true;
    return false;
}

bool amp_sights_find(struct amp_body *body)
{
    struct amp_histories histories = { 0 };
    bool found = false;

    if (body->returns_twice || body->graph.constraints > AMP_SIGHTS_CONSTRAINTS_MOST || !stores_into_own(&body->graph))
        return false;
    amp_histories_find(body, &histories);
    for (int m = 0; m < histories.n; m++)
        for (int e = 0; e < histories.of[m].n; e++)
            if (histories.of[m].at[e].kind == AMP_EVENT_READ)
                found |= add_sight(body, &histories, m, &histories.of[m].at[e]);
    amp_histories_free(&histories);
    return found;
}
