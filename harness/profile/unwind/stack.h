/* SPDX-License-Identifier: MIT
 *
 * The calls that lead to an allocation. */
#ifndef AMP_PROFILE_STACK_H
#define AMP_PROFILE_STACK_H

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
    const uintptr_t *at;
    uintptr_t value;
};

#define AMP_NOTES 4

struct amp_stack {
    /* What others keep beside a stack that is remembered: all 0 when it is new. */
    struct amp_note {
        uint64_t key;
        void *value;
        uint32_t number;
    } notes[AMP_NOTES];
    struct amp_caller caller;
    uint64_t generation, hash; /* hash: of pcs */
    uintptr_t high;            /* of the memory that it lies in */
    unsigned n, n_fps;
    enum amp_stack_ending ending;
    uintptr_t pcs[AMP_STACK_FRAMES];           /* return addresses, innermost first */
    struct amp_word returns[AMP_STACK_FRAMES]; /* where the return address of that function is saved; at NULL: unknown */
    struct amp_word fps[AMP_STACK_FRAMES];
};

/* Follow the frames from `caller` outwards. Returns `scratch`, or what the thread remembers, until its next walk.
 * Allocates nothing by malloc(), and takes no lock. */
struct amp_stack *amp_stack_walk(const struct amp_caller *caller, struct amp_stack *scratch);

/* Another library may now be where one was. */
void amp_stack_forget(void);

#endif
