/* SPDX-License-Identifier: MIT
 *
 * Which blocks of a function may run more than once in a call of it: those on a circle of jumps. */
#ifndef AMP_ESCAPE_LOOPS_H
#define AMP_ESCAPE_LOOPS_H

#include <stdbool.h>

#include <llvm-c/Core.h>

struct amp_loops;

/* Free it with amp_loops_free(). */
struct amp_loops *amp_loops_find(LLVMValueRef function);
bool amp_loops_hold(const struct amp_loops *loops, LLVMValueRef instruction);
void amp_loops_free(struct amp_loops *loops);

#endif
