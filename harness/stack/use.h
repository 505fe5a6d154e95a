/* SPDX-License-Identifier: MIT
 *
 * How much stack a piece of code takes, whatever it calls. */
#ifndef AMP_STACK_USE_H
#define AMP_STACK_USE_H

#include <stdbool.h>
#include <stdint.h>

struct amp_stack_use {
    uint64_t touched_b;  /* from the caller's stack pointer down to the lowest byte that was written */
    uint64_t reserved_b; /* down to the lowest place of the stack pointer; less than touched where a red zone is used */
    bool reserved_known; /* not where instructions cannot be stepped through, and not of code that takes too many */
};

/* Run run(argument, count) on a thread of its own; then once more, its stack painted before, instruction by
 * instruction. What is growable runs there, too, and so is counted. Threads that the code starts are not.
 *
 * out      filled on success
 * errors   -ENOMEM, or what pthread_create() gives
 * cost     microseconds an instruction, for at most AMP_STACK_USE_STEPS of them, of which one that copies or fills
 *          memory is one; 8 MiB while it runs */
int amp_stack_use(uint64_t (*run)(void *argument, uint64_t count), void *argument, uint64_t count,
                  struct amp_stack_use *out);

#define AMP_STACK_USE_STEPS 60000

#endif
