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

/* Whether a phi may hold what `made` gave in an earlier round when `made` gives the next.
 *
 *   Every value but a phi is computed anew behind each `made`, since `made` dominates it. So is a phi in a block that
 *   only ways through `made` lead to. One from which no way leads back to `made` comes after the last round. */
bool amp_loops_carry(struct amp_loops *loops, LLVMValueRef made, LLVMValueRef phi);
void amp_loops_free(struct amp_loops *loops);

#endif
