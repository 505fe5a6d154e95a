/* SPDX-License-Identifier: MIT */
#include "harness/escape/targets/targets.h"

#include "harness/escape/graph/graph.h"

bool amp_targets_add(struct amp_targets *targets, LLVMValueRef function)
{
    for (int t = 0; t < targets->n; t++)
        if (targets->at[t] == function)
            return false;
    targets->at = amp_escape_grow(targets->at, &targets->room, targets->n, sizeof(LLVMValueRef));
    targets->at[targets->n++] = function;
    return true;
}

LLVMValueRef amp_without_casts(LLVMValueRef constant)
{
    while (LLVMIsAConstantExpr(constant) && LLVMGetConstOpcode(constant) == LLVMBitCast)
        constant = LLVMGetOperand(constant, 0);
    return constant;
}
