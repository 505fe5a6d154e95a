/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/order.h"

#include <stdlib.h>

#include <uthash.h>

#include "harness/escape/graph/graph.h"

struct block {
    LLVMBasicBlockRef block;
    int first, last; /* instructions */
    int *next, nexts, next_room;
    int *before, befores, before_room;
    int walk; /* the last one that came here */
    UT_hash_handle hh;
};

struct instruction {
    LLVMValueRef at;
    int block;
    UT_hash_handle hh;
};

struct amp_order {
    struct block *known; /* hash */
    struct block *block;
    struct instruction *found; /* hash */
    struct instruction *instruction;
    int *to_do;
    int blocks, instructions, walks;
    int64_t left; /* steps */
};

static void *make(int n, size_t size)
{
    int room = 0;

    return amp_escape_grow(NULL, &room, n, size);
}

static void number_instructions(struct amp_order *order, LLVMValueRef function)
{
    int b = 0, i = 0;

    for (LLVMBasicBlockRef one = LLVMGetFirstBasicBlock(function); one; one = LLVMGetNextBasicBlock(one))
        for (LLVMValueRef at = LLVMGetFirstInstruction(one); at; at = LLVMGetNextInstruction(at))
            order->instructions++;
    order->instruction = make(order->instructions, sizeof *order->instruction);
    for (LLVMBasicBlockRef one = LLVMGetFirstBasicBlock(function); one; one = LLVMGetNextBasicBlock(one), b++) {
        order->block[b] = (struct block){ .block = one, .first = i };
        HASH_ADD_PTR(order->known, block, &order->block[b]);
        for (LLVMValueRef at = LLVMGetFirstInstruction(one); at; at = LLVMGetNextInstruction(at), i++) {
            order->instruction[i] = (struct instruction){ .at = at, .block = b };
            HASH_ADD_PTR(order->found, at, &order->instruction[i]);
        }
        order->block[b].last = i - 1;
    }
}

static void add_number(int **list, int *n, int *room, int number)
{
    *list = amp_escape_grow(*list, room, *n, sizeof **list);
    (*list)[(*n)++] = number;
}

static void join_blocks(struct amp_order *order)
{
    for (int b = 0; b < order->blocks; b++) {
        struct block *from = &order->block[b], *to;
        LLVMValueRef end = LLVMGetBasicBlockTerminator(from->block);

        for (unsigned i = 0; end && i < LLVMGetNumSuccessors(end); i++) {
            LLVMBasicBlockRef successor = LLVMGetSuccessor(end, i);

            HASH_FIND_PTR(order->known, &successor, to);
            add_number(&from->next, &from->nexts, &from->next_room, (int) (to - order->block));
            add_number(&to->before, &to->befores, &to->before_room, b);
        }
    }
}

struct amp_order *amp_order_find(LLVMValueRef function)
{
    struct amp_order *order = make(0, sizeof *order);

    *order = (struct amp_order){ .blocks = (int) LLVMCountBasicBlocks(function), .left = AMP_WALKS_MOST };
    order->block = make(order->blocks, sizeof *order->block);
    order->to_do = make(order->blocks, sizeof *order->to_do);
    number_instructions(order, function);
    join_blocks(order);
    return order;
}

void amp_order_free(struct amp_order *order)
{
    if (!order)
        return;
    HASH_CLEAR(hh, order->known);
    HASH_CLEAR(hh, order->found);
    for (int b = 0; b < order->blocks; b++) {
        free(order->block[b].next);
        free(order->block[b].before);
    }
    free(order->block);
    free(order->instruction);
    free(order->to_do);
    free(order);
}

int amp_order_of(const struct amp_order *order, LLVMValueRef at)
{
    struct instruction *found;

    HASH_FIND_PTR(order->found, &at, found);
    return (int) (found - order->instruction);
}

void amp_events_add(struct amp_events *events, struct amp_event event)
{
    events->at = amp_escape_grow(events->at, &events->room, events->n, sizeof *events->at);
    events->at[events->n++] = event;
}

static int compare(const void *left, const void *right)
{
    const struct amp_event *a = left, *b = right;

    return a->at != b->at ? (a->at > b->at) - (a->at < b->at) : (a->kind > b->kind) - (a->kind < b->kind);
}

void amp_events_sort(struct amp_events *events)
{
    if (events->n > 0)
        qsort(events->at, (size_t) events->n, sizeof *events->at, compare);
}

/* The first event at instruction `at` or behind it. */
static int first_event(const struct amp_events *events, int at)
{
    int low = 0, high = events->n;

    while (low < high) {
        const int middle = low + (high - low) / 2;

        if (events->at[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Visit those of the instructions first to last. True if one stops the walk. */
static bool scan(struct amp_order *order, int first, int last, bool back, const struct amp_events *events,
                 amp_visit *visit, void *state)
{
    const int low = first_event(events, first), high = first_event(events, last + 1);

    order->left--;
    for (int e = 0; e < high - low; e++, order->left--)
        if (visit(state, &events->at[back ? high - 1 - e : low + e]))
            return true;
    return false;
}

static int add_neighbours(struct amp_order *order, const struct block *block, bool back, int n)
{
    for (int i = 0; i < (back ? block->befores : block->nexts); i++) {
        const int to = (back ? block->before : block->next)[i];

        if (order->block[to].walk == order->walks)
            continue;
        order->block[to].walk = order->walks;
        order->to_do[n++] = to;
    }
    return n;
}

static bool walk(struct amp_order *order, int from, bool back, const struct amp_events *events, amp_visit *visit,
                 void *state)
{
    const struct block *block = &order->block[order->instruction[from].block];
    int n = 0;

    order->walks++;
    if (!scan(order, back ? block->first : from + 1, back ? from - 1 : block->last, back, events, visit, state))
        n = add_neighbours(order, block, back, n);
    while (n > 0 && order->left > 0) {
        block = &order->block[order->to_do[--n]];
        if (!scan(order, block->first, block->last, back, events, visit, state))
            n = add_neighbours(order, block, back, n);
    }
    return order->left > 0;
}

bool amp_order_walk_on(struct amp_order *order, int from, const struct amp_events *events, amp_visit *visit,
                       void *state)
{
    return walk(order, from, false, events, visit, state);
}

bool amp_order_walk_back(struct amp_order *order, int from, const struct amp_events *events, amp_visit *visit,
                         void *state)
{
    return walk(order, from, true, events, visit, state);
}
