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
#define AMP_SEEN_NOTE_BITS 11
#define AMP_SEEN_STEP 8 /* words are compared so many at once */

/* A word that must not have changed, by its lower half: of a return address; or of a frame pointer that was followed,
 * whose upper half is that of the stack. */
struct amp_check {
    uint32_t offset_b; /* above the caller's stack pointer; below 2^31 */
    uint32_t lower;
};

/* A stack that is remembered. What tells it from the others of its chain fills one line of the cache. */
struct amp_seen_stack {
    struct amp_caller caller;
    uint32_t n_checks, fp_matters; /* fp_matters: all bits are set, or none */
    uint64_t stamp;
    struct amp_seen_stack *next;
    void *last;             /* the value that was noted last beside it; NULL: none */
    struct amp_check quick; /* one of the checks: that by which it was last seen to be another stack */
    const struct amp_stack *stack; /* its words are copies, too */
    uint32_t checks[] __attribute__((aligned(32))); /* AMP_SEEN_STEP times offset_b, as many times lower, and so on */
};

/* What others keep beside a stack and a number, which `value` must tell, too. */
struct amp_note {
    const struct amp_stack *stack;
    void *value;
};

struct amp_seen {
    struct amp_seen_stack *chains[1 << AMP_SEEN_CHAIN_BITS]; /* by place of the call and depth of the stack */
    struct amp_note notes[1 << AMP_SEEN_NOTE_BITS];
    size_t used_b; /* of bytes */
    char bytes[] __attribute__((aligned(64)));
};

/* Walk, and remember the stack where that is possible: else it lies in `room`. */
const struct amp_stack *amp_seen_walk(const struct amp_caller *caller, struct amp_stack_room *room);

static inline struct amp_seen_stack **amp_seen_chain(struct amp_seen *seen, const struct amp_caller *caller)
{
    return &seen->chains[((caller->pc ^ caller->sp << 16) * 0x9e3779b97f4a7c15u) >> (64 - AMP_SEEN_CHAIN_BITS)];
}

static inline uint64_t amp_seen_stamp(void)
{
    return amp_thread.high + __atomic_load_n(&amp_stack_generation, __ATOMIC_RELAXED);
}

/* The lower half of the word at that distance, less what it was. */
static inline uint32_t amp_seen_change(uintptr_t sp, uint32_t offset_b, uint32_t lower)
{
    return (uint32_t) *(const uintptr_t *) (sp + offset_b) ^ lower;
}

/* Whether it begins there, and the one check holds: words are read only of a stack that has them. */
static inline bool amp_seen_may_be_same(const struct amp_seen_stack *seen, const struct amp_caller *caller,
                                        uint64_t stamp)
{
    const uintptr_t fp_mask = (uintptr_t) (intptr_t) (int32_t) seen->fp_matters;
    const uint64_t differs = (seen->caller.pc ^ caller->pc) | (seen->caller.sp ^ caller->sp) | (seen->stamp ^ stamp) |
                             ((seen->caller.fp ^ caller->fp) & fp_mask);

    return !differs && !amp_seen_change(caller->sp, seen->quick.offset_b, seen->quick.lower);
}

/* Whether the processor loads several words at once faster than one by one. */
extern bool amp_seen_gathers;

/* Whether all checks hold: by such loads, which not every processor has; and by single ones. */
bool amp_seen_is_same_gathered(const struct amp_seen_stack *seen, uintptr_t sp);
bool amp_seen_is_same_singly(const struct amp_seen_stack *seen, uintptr_t sp);

static inline bool amp_seen_is_same(const struct amp_seen_stack *seen, const struct amp_caller *caller)
{
    return amp_seen_gathers ? amp_seen_is_same_gathered(seen, caller->sp) : amp_seen_is_same_singly(seen, caller->sp);
}

/* It was another stack: by which check, is asked first the next time. */
void amp_seen_learn(struct amp_seen_stack *seen, uintptr_t sp);

/* The stack from `caller` outwards, if it is remembered; else NULL. */
__attribute__((__always_inline__)) static inline struct amp_seen_stack *amp_seen_find(const struct amp_caller *caller)
{
    struct amp_seen_stack **chain, *seen;
    uint64_t stamp;

    if (!amp_thread.seen)
        return NULL;
    chain = amp_seen_chain(amp_thread.seen, caller);
    stamp = amp_seen_stamp();
    for (struct amp_seen_stack **at = chain; (seen = *at) != NULL; at = &seen->next) {
        if (!amp_seen_may_be_same(seen, caller, stamp))
            continue;
        if (__builtin_expect(!amp_seen_is_same(seen, caller), 0)) {
            amp_seen_learn(seen, caller->sp);
            continue;
        }
        if (at != chain) { /* the last one that was seen comes first */
            *at = seen->next;
            seen->next = *chain;
            *chain = seen;
        }
        return seen;
    }
    return NULL;
}

/* The place for a note beside a remembered stack. It may hold that of another stack or key. */
static inline struct amp_note *amp_seen_note(const struct amp_stack *stack, uint64_t key)
{
    uint64_t hash = ((uintptr_t) stack / 16 + key * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;

    return &amp_thread.seen->notes[hash >> (64 - AMP_SEEN_NOTE_BITS)];
}

#endif
