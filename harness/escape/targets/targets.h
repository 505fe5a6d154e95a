/* SPDX-License-Identifier: MIT
 *
 * A set of functions: those that a call may reach, or that a member of a struct may point at. */
#ifndef AMP_ESCAPE_TARGETS_H
#define AMP_ESCAPE_TARGETS_H

#include <stdbool.h>

#include <llvm-c/Core.h>

struct amp_targets {
    LLVMValueRef *at;
    int n, room; /* none: not known */
};

/* True if it was not there. Ends the program where there is no memory. */
bool amp_targets_add(struct amp_targets *targets, LLVMValueRef function);

/* A constant without the casts around it. */
LLVMValueRef amp_without_casts(LLVMValueRef constant);

#endif
