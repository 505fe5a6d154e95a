/* SPDX-License-Identifier: MIT */
#include "harness/escape/findings/maker.h"

#include <stdbool.h>
#include <string.h>

#include "harness/escape/targets/libc.h"
#include "harness/escape/graph/path.h"

enum { DEPTH_MOST = 8, DOOM_MOST = 4 };

static const char *const more = "the called function does more than make or free memory";
static const char *const null = "the called function may return NULL, not only where memory is short";

static const char *called_does_more(LLVMValueRef function, int depth);

static bool is_doomed(LLVMBasicBlockRef block, int depth);

/* Whether the block calls a function of the program that never returns. */
static bool calls_the_end(LLVMBasicBlockRef block, int depth)
{
    for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = LLVMGetNextInstruction(at)) {
        LLVMValueRef called = amp_is_call(at) ? amp_called_function(at) : NULL;

        if (called && LLVMCountBasicBlocks(called) > 0 && is_doomed(LLVMGetEntryBasicBlock(called), depth))
            return true;
    }
    return false;
}

/* Whether each way from here ends the program. */
static bool is_doomed(LLVMBasicBlockRef block, int depth)
{
    LLVMValueRef last = LLVMGetBasicBlockTerminator(block);
    const unsigned n = LLVMGetNumSuccessors(last);

    if (LLVMIsAUnreachableInst(last) || (depth > 0 && calls_the_end(block, depth - 1)))
        return true;
    for (unsigned i = 0; i < n; i++)
        if (depth == 0 || !is_doomed(LLVMGetSuccessor(last, i), depth - 1))
            return false;
    return n > 0;
}

/* Whether the block ends by asking if a call's result is NULL. */
static bool asks_for_memory(LLVMBasicBlockRef block)
{
    LLVMValueRef last = LLVMGetBasicBlockTerminator(block), condition;

    if (!LLVMIsABranchInst(last) || !LLVMIsConditional(last))
        return false;
    condition = LLVMGetCondition(last);
    return LLVMIsAICmpInst(condition) && LLVMIsACallInst(LLVMGetOperand(condition, 0)) &&
           LLVMIsNull(LLVMGetOperand(condition, 1));
}

static bool only_after_asking(LLVMBasicBlockRef from)
{
    LLVMValueRef function = LLVMGetBasicBlockParent(from);

    if (asks_for_memory(from))
        return true;
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b)) {
        LLVMValueRef last = LLVMGetBasicBlockTerminator(b);

        for (unsigned i = 0; i < LLVMGetNumSuccessors(last); i++)
            if (LLVMGetSuccessor(last, i) == from && !asks_for_memory(b))
                return false;
    }
    return from != LLVMGetEntryBasicBlock(function);
}

/* Whether the instruction brings in a NULL that no missing memory explains. */
static bool brings_null(LLVMValueRef at)
{
    const bool is_phi = LLVMIsAPHINode(at) != NULL;
    const int n = is_phi ? (int) LLVMCountIncoming(at) : LLVMGetNumOperands(at);

    if (!is_phi && !LLVMIsAReturnInst(at) && !LLVMIsASelectInst(at))
        return false;
    for (int i = 0; i < n; i++) {
        LLVMValueRef value = is_phi ? LLVMGetIncomingValue(at, (unsigned) i) : LLVMGetOperand(at, (unsigned) i);
        LLVMBasicBlockRef from = is_phi ? LLVMGetIncomingBlock(at, (unsigned) i) : LLVMGetInstructionParent(at);

        if (LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMPointerTypeKind && LLVMIsNull(value) && !only_after_asking(from))
            return true;
    }
    return false;
}

static const char *instruction_does_more(LLVMValueRef at, int depth)
{
    if (LLVMIsAStoreInst(at))
        return LLVMIsAAllocaInst(LLVMGetOperand(at, 1)) ? NULL : more;
    if (LLVMIsAAtomicRMWInst(at) || LLVMIsAAtomicCmpXchgInst(at) || LLVMIsAFenceInst(at))
        return more;
    if (amp_is_call(at)) {
        LLVMValueRef called = amp_called_function(at);

        return called ? called_does_more(called, depth) : more;
    }
    return brings_null(at) ? null : NULL;
}

static const char *called_does_more(LLVMValueRef function, int depth)
{
    const struct amp_libc *known = amp_libc_means(function);
    size_t length;
    const char *name = LLVMGetValueName2(function, &length);

    if (known)
        return strcmp(name, "malloc") == 0 || strcmp(name, "calloc") == 0 || strcmp(name, "free") == 0 ? NULL : more;
    if (strncmp(name, "llvm.", 5) == 0)
        return strncmp(name, "llvm.mem", 8) == 0 ? more : NULL;
    if (depth == 0 || LLVMCountBasicBlocks(function) == 0)
        return more;
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at)) {
            const char *what = instruction_does_more(at, depth - 1);

            if (what && !is_doomed(b, DOOM_MOST))
                return what;
        }
    return NULL;
}

const char *amp_maker_does_more(LLVMValueRef function)
{
    return called_does_more(function, DEPTH_MOST);
}
