/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/bound.h"

#include <stddef.h>

enum { DEPTH_MOST = 8, BLOCKS_MOST = 64, JOINED_MOST = 16, NARROW_BITS = 16 };

/* What is known of a value from comparisons. */
struct range {
    uint64_t most;
    int64_t signed_least, signed_most;
};

static LLVMBasicBlockRef only_predecessor(LLVMBasicBlockRef block)
{
    LLVMUseRef use = LLVMGetFirstUse(LLVMBasicBlockAsValue(block));

    if (!use || LLVMGetNextUse(use) || !LLVMIsAInstruction(LLVMGetUser(use)))
        return NULL;
    return LLVMGetInstructionParent(LLVMGetUser(use));
}

static LLVMIntPredicate turned(LLVMIntPredicate predicate)
{
    switch (predicate) {
    case LLVMIntULT:
        return LLVMIntUGE;
    case LLVMIntULE:
        return LLVMIntUGT;
    case LLVMIntUGT:
        return LLVMIntULE;
    case LLVMIntUGE:
        return LLVMIntULT;
    case LLVMIntSLT:
        return LLVMIntSGE;
    case LLVMIntSLE:
        return LLVMIntSGT;
    case LLVMIntSGT:
        return LLVMIntSLE;
    case LLVMIntSGE:
        return LLVMIntSLT;
    case LLVMIntEQ:
        return LLVMIntNE;
    default:
        return LLVMIntEQ;
    }
}

static void narrow(struct range *range, LLVMIntPredicate predicate, LLVMValueRef constant)
{
    const uint64_t number = LLVMConstIntGetZExtValue(constant);
    const int64_t with_sign = LLVMConstIntGetSExtValue(constant);

    if ((predicate == LLVMIntULT && number > 0 && number - 1 < range->most) ||
        ((predicate == LLVMIntULE || predicate == LLVMIntEQ) && number < range->most))
        range->most = number - (predicate == LLVMIntULT);
    if ((predicate == LLVMIntSLT && with_sign > INT64_MIN && with_sign - 1 < range->signed_most) ||
        (predicate == LLVMIntSLE && with_sign < range->signed_most))
        range->signed_most = with_sign - (predicate == LLVMIntSLT);
    if ((predicate == LLVMIntSGT && with_sign < INT64_MAX && with_sign + 1 > range->signed_least) ||
        (predicate == LLVMIntSGE && with_sign > range->signed_least))
        range->signed_least = with_sign + (predicate == LLVMIntSGT);
}

/* What the jump from `from` to `to` says of the value. */
static void read_jump(struct range *range, LLVMValueRef value, LLVMBasicBlockRef from, LLVMBasicBlockRef to)
{
    LLVMValueRef jump = LLVMGetBasicBlockTerminator(from), condition;
    LLVMIntPredicate predicate;

    if (!LLVMIsABranchInst(jump) || !LLVMIsConditional(jump) || LLVMGetSuccessor(jump, 0) == LLVMGetSuccessor(jump, 1))
        return;
    condition = LLVMGetCondition(jump);
    if (!LLVMIsAICmpInst(condition) || LLVMGetOperand(condition, 0) != value ||
        !LLVMIsAConstantInt(LLVMGetOperand(condition, 1)))
        return;
    predicate = LLVMGetICmpPredicate(condition);
    narrow(range, LLVMGetSuccessor(jump, 0) == to ? predicate : turned(predicate), LLVMGetOperand(condition, 1));
}

/* Up the blocks that must have run before, while there is but one way. */
static bool by_comparison(LLVMValueRef value, LLVMValueRef at, uint64_t *most)
{
    struct range range = { UINT64_MAX, INT64_MIN, INT64_MAX };
    LLVMBasicBlockRef block = LLVMGetInstructionParent(at), before;

    for (int n = 0; n < BLOCKS_MOST && (before = only_predecessor(block)); n++, block = before)
        read_jump(&range, value, before, block);
    if (range.signed_least >= 0 && range.signed_most != INT64_MAX && (uint64_t) range.signed_most < range.most)
        range.most = (uint64_t) range.signed_most;
    *most = range.most;
    return range.most != UINT64_MAX;
}

static bool find(LLVMValueRef value, LLVMValueRef at, int depth, uint64_t *most);

static bool of_both(LLVMValueRef value, LLVMValueRef at, int depth, uint64_t *most)
{
    const LLVMOpcode opcode = LLVMGetInstructionOpcode(value);
    uint64_t a, b;

    if (!find(LLVMGetOperand(value, 0), at, depth, &a) || !find(LLVMGetOperand(value, 1), at, depth, &b))
        return false;
    switch (opcode) {
    case LLVMAdd:
        return !__builtin_add_overflow(a, b, most);
    case LLVMMul:
        return !__builtin_mul_overflow(a, b, most);
    default: /* a shift to the left */
        *most = b < 64 ? a << b : 0;
        return b < 64 && *most >> b == a;
    }
}

static bool of_rest(LLVMValueRef value, LLVMValueRef at, int depth, uint64_t *most)
{
    LLVMValueRef by = LLVMGetOperand(value, 1);
    const uint64_t number = LLVMIsAConstantInt(by) ? LLVMConstIntGetZExtValue(by) : 0;

    switch (LLVMGetInstructionOpcode(value)) {
    case LLVMAnd:
        *most = number;
        return LLVMIsAConstantInt(by) != NULL;
    case LLVMURem:
        *most = number - 1;
        return number > 0;
    case LLVMSDiv: /* of two numbers that are not negative */
        if (number == 0 || number >> (LLVMGetIntTypeWidth(LLVMTypeOf(by)) - 1) != 0 ||
            !find(LLVMGetOperand(value, 0), at, depth, most) ||
            *most >> (LLVMGetIntTypeWidth(LLVMTypeOf(by)) - 1) != 0)
            return false;
        *most /= number;
        return true;
    case LLVMUDiv:
        if (number == 0 || !find(LLVMGetOperand(value, 0), at, depth, most))
            return false;
        *most /= number;
        return true;
    case LLVMLShr:
        if (!LLVMIsAConstantInt(by) || number > 63 || !find(LLVMGetOperand(value, 0), at, depth, most))
            return false;
        *most >>= number;
        return true;
    default:
        return false;
    }
}

/* From a number of another width. */
static bool of_cast(LLVMValueRef value, LLVMValueRef at, int depth, uint64_t *most)
{
    LLVMValueRef from = LLVMGetOperand(value, 0);
    const LLVMOpcode opcode = LLVMGetInstructionOpcode(value);
    const unsigned bits = LLVMGetIntTypeWidth(LLVMTypeOf(opcode == LLVMTrunc ? value : from));

    if (find(from, at, depth, most))
        return opcode != LLVMSExt || *most < UINT64_C(1) << (bits - 1);
    *most = (UINT64_C(1) << (bits & 31)) - 1;
    return opcode != LLVMSExt && bits <= NARROW_BITS;
}

/* Each way to the join brings a value that is bounded where the way leaves. */
static bool of_join(LLVMValueRef value, int depth, uint64_t *most)
{
    uint64_t one;

    *most = 0;
    if (LLVMCountIncoming(value) > JOINED_MOST)
        return false;
    for (unsigned i = 0; i < LLVMCountIncoming(value); i++) {
        if (!find(LLVMGetIncomingValue(value, i), LLVMGetBasicBlockTerminator(LLVMGetIncomingBlock(value, i)), depth,
                  &one))
            return false;
        *most = one > *most ? one : *most;
    }
    return LLVMCountIncoming(value) > 0;
}

static bool find(LLVMValueRef value, LLVMValueRef at, int depth, uint64_t *most)
{
    uint64_t other;

    if (LLVMGetTypeKind(LLVMTypeOf(value)) != LLVMIntegerTypeKind || LLVMGetIntTypeWidth(LLVMTypeOf(value)) > 64 ||
        depth == 0)
        return false;
    if (LLVMIsAConstantInt(value)) {
        *most = LLVMConstIntGetZExtValue(value);
        return true;
    }
    if (by_comparison(value, at, most))
        return true;
    if (!LLVMIsAInstruction(value))
        return false;
    switch (LLVMGetInstructionOpcode(value)) {
    case LLVMZExt:
    case LLVMSExt:
    case LLVMTrunc:
        return of_cast(value, at, depth - 1, most);
    case LLVMAdd:
    case LLVMMul:
    case LLVMShl:
        return of_both(value, at, depth - 1, most);
    case LLVMPHI:
        return of_join(value, depth / 2, most);
    case LLVMSelect:
        if (!find(LLVMGetOperand(value, 1), at, depth - 1, most) ||
            !find(LLVMGetOperand(value, 2), at, depth - 1, &other))
            return false;
        *most = other > *most ? other : *most;
        return true;
    default:
        return LLVMGetNumOperands(value) == 2 && of_rest(value, at, depth - 1, most);
    }
}

bool amp_bound_find(LLVMValueRef value, LLVMValueRef at, uint64_t *most)
{
    return find(value, at, DEPTH_MOST, most);
}
