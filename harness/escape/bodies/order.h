/* SPDX-License-Identifier: MIT
 *
 * The order in which a function's instructions may run: each has a number, and what stands at some of them (events) is
 * walked along all ways, forwards or backwards. */
#ifndef AMP_ESCAPE_ORDER_H
#define AMP_ESCAPE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include <llvm-c/Core.h>

struct amp_order;

/* What an instruction does with a memory or a value, in this order: reads it, ends what it held, stores into it. */
enum amp_event_kind { AMP_EVENT_READ, AMP_EVENT_END, AMP_EVENT_STORE };

struct amp_event {
    int at; /* the instruction's number */
    enum amp_event_kind kind;
    int64_t first_b, end_b; /* the bytes that it concerns; end_b 0: which is not known */
    int constraint;         /* that stores; else -1 */
};

struct amp_events {
    struct amp_event *at;
    int n, room;
};

/* Free it with amp_order_free(). */
struct amp_order *amp_order_find(LLVMValueRef function);
void amp_order_free(struct amp_order *order);

/* The number of an instruction of the function. */
int amp_order_of(const struct amp_order *order, LLVMValueRef at);

void amp_events_add(struct amp_events *events, struct amp_event event);
void amp_events_sort(struct amp_events *events);

/* Visit the events on all ways from instruction `from`, without its own, until `visit` says true: beyond that event the
 * walk does not go on this way. True if all was walked; false if the function's share of steps is used up. */
typedef bool amp_visit(void *state, const struct amp_event *event);
bool amp_order_walk_on(struct amp_order *order, int from, const struct amp_events *events, amp_visit *visit,
                       void *state);
bool amp_order_walk_back(struct amp_order *order, int from, const struct amp_events *events, amp_visit *visit,
                         void *state);
#define AMP_WALKS_MOST 4000000 /* blocks and events */

#endif
