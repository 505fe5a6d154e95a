/* SPDX-License-Identifier: MIT
 *
 * The stacks that a thread had lately. Most allocations come from one of them: then it is enough to see that the words
 * on the way outwards still hold what they held. No load waits for another, unlike where frames are followed. */
#ifndef AMP_PROFILE_SEEN_H
#define AMP_PROFILE_SEEN_H

#include "harness/profile/unwind/stack.h"
#include "harness/profile/unwind/thread.h"

#include <stddef.h>

#define AMP_SEEN_CHAIN_BITS 10
#define AMP_SEEN_NOTE_BITS 10
#define AMP_SEEN_STEP 4 /* words are compared so many at once */

/* What others keep beside a stack. */
struct amp_note {
    const struct amp_stack *stack;
    uint64_t key;
    void *value;
};

struct amp_seen {
    struct amp_stack *chains[1 << AMP_SEEN_CHAIN_BITS]; /* by place of the call and depth of the stack */
    struct amp_note notes[1 << AMP_SEEN_NOTE_BITS];
    size_t used_b; /* of bytes */
    char bytes[] __attribute__((aligned(64)));
};

/* Walk, and remember the stack where that is possible: else it lies in `room`. */
const struct amp_stack *amp_seen_walk(const struct amp_caller *caller, struct amp_stack_room *room);

static inline struct amp_stack **amp_seen_chain(struct amp_seen *seen, const struct amp_caller *caller)
{
    return &seen->chains[((caller->pc ^ caller->sp << 16) * 0x9e3779b97f4a7c15u) >> (64 - AMP_SEEN_CHAIN_BITS)];
}

static inline uint64_t amp_seen_stamp(void)
{
    return amp_thread.high + __atomic_load_n(&amp_stack_generation, __ATOMIC_RELAXED);
}

static inline bool amp_seen_is_same(const struct amp_stack *stack, const struct amp_caller *caller, uint64_t stamp)
{
    uint64_t differs = (stack->caller.pc ^ caller->pc) | (stack->caller.sp ^ caller->sp) | (stack->stamp ^ stamp) |
                       ((stack->caller.fp ^ caller->fp) & stack->fp_mask);
    const struct amp_word *end = stack->words + stack->n_words;

    for (const struct amp_word *word = stack->words; !differs && word < end; word += AMP_SEEN_STEP)
        differs = (*word[0].at ^ word[0].value) | (*word[1].at ^ word[1].value) | (*word[2].at ^ word[2].value) |
                  (*word[3].at ^ word[3].value);
    return !differs;
}

/* The stack from `caller` outwards, if it is remembered; else NULL. */
static inline const struct amp_stack *amp_seen_find(const struct amp_caller *caller)
{
    struct amp_stack **chain, *stack;
    uint64_t stamp;

    if (!amp_thread.seen)
        return NULL;
    chain = amp_seen_chain(amp_thread.seen, caller);
    stamp = amp_seen_stamp();
    for (struct amp_stack **at = chain; (stack = *at) != NULL; at = &stack->next) {
        if (!amp_seen_is_same(stack, caller, stamp))
            continue;
        if (at != chain) { /* the last one that was seen comes first */
            *at = stack->next;
            stack->next = *chain;
            *chain = stack;
        }
        return stack;
    }
    return NULL;
}

/* The place for a note beside a remembered stack. It holds one if its stack and key are these. */
static inline struct amp_note *amp_seen_note(const struct amp_stack *stack, uint64_t key)
{
    uint64_t hash = ((uintptr_t) stack / 16 + key * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;

    return &amp_thread.seen->notes[hash >> (64 - AMP_SEEN_NOTE_BITS)];
}

#endif
