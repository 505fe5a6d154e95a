/* SPDX-License-Identifier: MIT
 *
 * What the parts of the growable stack know of each other. */
#ifndef AMP_STACK_STATE_H
#define AMP_STACK_STATE_H

#include "harness/stack/stack.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Bytes at the top of each stack that belong to the switch: the word at hi - 16 is the host's stack pointer. */
#define AMP_STACK_TOP_B 16

enum amp_stack_state { AMP_STACK_IDLE, AMP_STACK_READY, AMP_STACK_RUNNING, AMP_STACK_SUSPENDED };

struct amp_stack {
    /* Known to the assembly by their offsets, which stack.c asserts. */
    uintptr_t sp;      /* where a coroutine that waits goes on */
    uintptr_t host_sp; /* of whoever resumed it */
    uintptr_t limit;   /* the check fails at and below; UINTPTR_MAX: always */
    uintptr_t host_limit;
    struct amp_stack *previous; /* the stack that the host code ran on, where that was a growable one */
    uintptr_t hi;
    uint64_t value; /* yielded or returned */
    amp_stack_fn *fn;
    void *arg;

    uintptr_t lo;
    struct amp_stack_policy policy;
    enum amp_stack_state state;
    int error;            /* of the last run */
    size_t failed_used_b; /* and what did not fit then */
    size_t failed_frame_b;
    struct amp_stack_stats stats; /* size_b is hi - lo */
    size_t *on_stack;             /* with TRACE: what was used above each growable function that has not returned */
    unsigned depth;
    unsigned depth_max;
};

/* The least change of a stack's content that makes it right at another place.
 *
 * to, from   n bytes each, a multiple of 16, aligned to 16, apart from each other
 * low, size  words that hold an address in [low, low + size), which crosses no multiple of 4 GiB, get
 * distance   added, as unsigned numbers
 * returns    how many words */
size_t amp_stack_relocate(void *to, const void *from, size_t n, uintptr_t low, size_t size, uintptr_t distance);

#if defined(__x86_64__)
extern bool amp_stack_wide; /* whether it uses AVX2: found out at the start, set by its test */
#endif

/* Memory for stacks: size_b is a power of two from AMP_STACK_MIN_B. Fresh memory is zero, used memory as it was left;
 * its canary is in place. give: -EFAULT if that is broken; then it is not used again. */
int amp_slab_take(size_t size_b, uintptr_t *low);
int amp_slab_give(uintptr_t low, size_t size_b);
bool amp_slab_intact(uintptr_t low);

/* Below this size stacks share one gap a slab. */
#define AMP_SLAB_GAP_FROM_B ((size_t) 4096)
#define AMP_SLAB_CANARY_B 16

/* ---- Assembly: stack_x86_64.S, stack_aarch64.S */

/* From host to stack, until it yields (1), returns (0), or is abandoned (-1). */
int amp_stack_enter(struct amp_stack *stack);

/* Where a new coroutine begins. */
void amp_stack_boot(void);

/* How far below its check's stack pointer the registers are saved that a move must carry along, and how much a
 * coroutine that waits has on top of its stack. */
extern const size_t amp_stack_saved_b;
extern const size_t amp_stack_switch_b;
extern const size_t amp_stack_boot_word; /* of these, the word that holds where it goes on */

/* Called by the assembly, on the host stack: make room, return the stack pointer to go on with, or 0 to abandon. */
uintptr_t amp_stack_grow(struct amp_stack *stack, uintptr_t sp, size_t frame_b);

/* A growable function was called where the limit of some stack holds but its memory is not used. */
_Noreturn void amp_stack_lost(void);

#pragma GCC visibility pop

#endif
