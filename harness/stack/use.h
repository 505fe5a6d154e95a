/* SPDX-License-Identifier: MIT
 *
 * How much stack a piece of code takes, with everything that it calls. */
#ifndef AMP_STACK_USE_H
#define AMP_STACK_USE_H

#include <stdbool.h>
#include <stdint.h>

struct amp_stack_use {
    uint64_t touched_b;  /* from the caller's stack pointer down to the lowest byte that was written */
    uint64_t reserved_b; /* down to the lowest value of the stack pointer; less than touched if code uses a red zone */
    bool reserved_known; /* false if instructions cannot be stepped through here, or the code takes too many */
};

/* Call run(argument, count) twice on a thread of its own: first to warm up; then on a stack filled with a pattern, one
 * instruction at a time. Growable functions run on that stack, too, and are counted. Threads that the code starts are
 * not.
 *
 * out      filled on success
 * errors   -ENOMEM, or those of pthread_create()
 * cost     microseconds for each instruction, at most `steps` of them (rep movs counts as one); 8 MiB of memory
 *          meanwhile */
int amp_stack_use(uint64_t (*run)(void *argument, uint64_t count), void *argument, uint64_t count, uint64_t steps,
                  struct amp_stack_use *out);

#define AMP_STACK_USE_STEPS 250000 /* for an operation of a lesson: enough for all but decode of 64 */

#endif
