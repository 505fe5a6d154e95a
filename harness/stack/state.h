/* SPDX-License-Identifier: MIT
 *
 * What the parts of the growable stack share. */
#ifndef AMP_STACK_STATE_H
#define AMP_STACK_STATE_H

#include "harness/stack/stack.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Bytes at the top of each stack that the switch uses: the word at hi - 16 is the host's stack pointer. */
#define AMP_STACK_TOP_B 16

enum amp_stack_state { AMP_STACK_IDLE, AMP_STACK_READY, AMP_STACK_RUNNING, AMP_STACK_SUSPENDED };

struct amp_stack {
    /* The assembly knows these by their offsets, which stack.c asserts. */
    uintptr_t sp;      /* where a suspended coroutine goes on, or a running one when its thread leaves the host stack */
    uintptr_t host_sp; /* of whoever resumed it */
    uintptr_t limit;   /* the check fails at this address and below; UINTPTR_MAX: always */
    uintptr_t host_limit;
    struct amp_stack *previous; /* the stack that the host code ran on, if that is a growable one */
    uintptr_t hi;
    uint64_t value; /* yielded or returned */
    amp_stack_fn *fn;
    void *arg;

    uintptr_t lo;
    struct amp_stack_policy policy;
    enum amp_stack_state state;
    int error;            /* of the last run */
    size_t failed_used_b; /* then: bytes in use, and the frame that did not fit */
    size_t failed_frame_b;
    struct amp_stack_stats stats; /* size_b is hi - lo */
    size_t *on_stack;             /* with TRACE: the bytes used above each growable function that has not returned */
    unsigned depth;
    unsigned depth_max;
};

/* Copy a stack's content to another place, and change the words that hold addresses of it.
 *
 * to, from   n bytes each, a multiple of 16, aligned to 16, not overlapping
 * low, size  a word is changed if it holds an address in [low, low + size), which crosses no multiple of 4 GiB
 * distance   added to it, as unsigned numbers
 * returns    how many words were changed */
size_t amp_stack_relocate(void *to, const void *from, size_t n, uintptr_t low, size_t size, uintptr_t distance);

#if defined(__x86_64__)
extern bool amp_stack_wide; /* whether it uses AVX2; set at the start, and by its test */
#endif

/* Memory for stacks; size_b is a power of two, at least AMP_STACK_MIN_B. take() sets the canary; new memory is zero,
 * used memory is as it was left. give() returns -EFAULT if the canary is broken, and that memory is never used
 * again. */
int amp_slab_take(size_t size_b, uintptr_t *low);
int amp_slab_give(uintptr_t low, size_t size_b);
bool amp_slab_intact(uintptr_t low);

/* Smaller stacks share one gap for the whole slab. */
#define AMP_SLAB_GAP_FROM_B ((size_t) 4096)
#define AMP_SLAB_CANARY_B 16

/* ---- Assembly: stack_x86_64.S, stack_aarch64.S */

/* Switch from the host to the stack, until it yields (1), returns (0), or is abandoned (-1). */
int amp_stack_enter(struct amp_stack *stack);

/* Where a new coroutine begins. */
void amp_stack_boot(void);

/* How far below the check's stack pointer the registers are saved that a move must change, and how many bytes a
 * suspended coroutine has on top of its stack. */
extern const size_t amp_stack_saved_b;
extern const size_t amp_stack_switch_b;
extern const size_t amp_stack_boot_word; /* which word of these holds the address where it goes on */

/* The assembly calls this on the host stack: make room, and return the stack pointer to go on with, or 0 to abandon. */
uintptr_t amp_stack_grow(struct amp_stack *stack, uintptr_t sp, size_t frame_b);

/* A growable function was called while the limit of a stack was set but the code ran on other memory. */
_Noreturn void amp_stack_lost(void);

/* A check failed on a host stack: amp_stack_ask() was called for this thread, or that. */
void amp_stack_stray(void);

#pragma GCC visibility pop

#endif
