/* SPDX-License-Identifier: MIT
 *
 * The calls that lead to an allocation. */
#ifndef AMP_PROFILE_STACK_H
#define AMP_PROFILE_STACK_H

#include <stdbool.h>
#include <stdint.h>

#define AMP_STACK_FRAMES 128 /* that are kept: the innermost */

/* How a stack ends. */
enum amp_stack_ending {
    AMP_STACK_WHOLE,   /* at the first function of the thread */
    AMP_STACK_GUESSED, /* whole, but a function without unwind table is in it, and its frame pointer was trusted */
    AMP_STACK_CUT,     /* more than AMP_STACK_FRAMES */
    AMP_STACK_BROKEN,  /* at a function that has neither unwind table nor frame pointer */
};

/* Where one of our functions was called: registers of the caller, as they are when it goes on. */
struct amp_caller {
    uintptr_t pc, sp, fp;
};

/* To be used in the function that the program called, compiled with a frame pointer. */
#define AMP_CALLER()                                                                                                   \
    ((struct amp_caller){ (uintptr_t) __builtin_return_address(0), (uintptr_t) __builtin_dwarf_cfa(),                  \
                          *(uintptr_t *) __builtin_frame_address(0) })

/* A word of the stack that was read on the way, and what it held. */
struct amp_word {
    const uintptr_t *at; /* NULL: it lies in no frame, as what a signal interrupted */
    uintptr_t value;
};

/* A stack of n frames. The innermost goes on at caller.pc, the one behind it at words[0].value, and so on: the first
 * n - 1 words are return addresses. */
struct amp_stack {
    struct amp_caller caller;
    uintptr_t fp_mask; /* 0: caller.fp did not matter */
    uint64_t stamp;    /* of the memory that it lies in, and of the libraries that were loaded */
    uint64_t hash;     /* of the return addresses */
    const struct amp_word *words;
    uint32_t n;
    enum amp_stack_ending ending;
    bool can_last; /* all of it lies in one piece of memory */
};

/* Where a stack is put together. */
struct amp_stack_room {
    struct amp_stack stack;
    struct amp_word returns[AMP_STACK_FRAMES];
    struct amp_word others[2 * AMP_STACK_FRAMES];
    uint32_t n_others;
};

/* Follow the frames from `caller` outwards, into room->stack, whose words are room->returns alone. is_exact: caller.pc
 * is not where a call returns to, but an instruction that a signal interrupted. Allocates nothing by malloc(), and
 * takes no lock. */
void amp_stack_walk(const struct amp_caller *caller, bool is_exact, struct amp_stack_room *room);

/* The registers of the code that a signal interrupted, by its handler's third argument. */
struct amp_caller amp_stack_interrupted(const void *context);

/* Another library may now be where one was. */
void amp_stack_forget(void);

/* What is added up to stamps. */
extern uint64_t amp_stack_generation;

#endif
