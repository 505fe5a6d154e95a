/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/body.h"

#include "harness/escape/targets/member.h"

static bool names_a_global(LLVMValueRef constant)
{
    const int n = LLVMGetNumOperands(constant);

    if (LLVMIsAGlobalValue(constant) || LLVMIsAConstantExpr(constant) || LLVMIsABlockAddress(constant))
        return true; /* an expression may also be a fixed address */
    for (int i = 0; i < n; i++)
        if (names_a_global(LLVMGetOperand(constant, (unsigned) i)))
            return true;
    return false;
}

int amp_body_operand(struct amp_body *body, LLVMValueRef operand)
{
    bool is_new;
    int number;

    if (LLVMIsAConstant(operand))
        return names_a_global(operand) ? body->graph.outside : -1;
    if (!LLVMIsAInstruction(operand) && !LLVMIsAArgument(operand))
        return -1;
    number = amp_graph_value(&body->graph, operand, &is_new);
    if (is_new && LLVMIsAArgument(operand)) {
        int i = 0;

        while (LLVMGetParam(body->function, (unsigned) i) != operand)
            i++;
        amp_graph_add(&body->graph, (struct amp_constraint){
                                        .step = AMP_STEP_ADDRESS,
                                        .to = number,
                                        .from = amp_graph_memory_of(&body->graph, AMP_ARGUMENT, i, AMP_ANY),
                                    });
    }
    return number;
}

static void copy(struct amp_body *body, LLVMValueRef at, unsigned operand, int32_t offset)
{
    const int from = amp_body_operand(body, LLVMGetOperand(at, operand));

    if (from >= 0)
        amp_graph_add(&body->graph, (struct amp_constraint){
                                        .step = AMP_STEP_COPY,
                                        .to = amp_body_operand(body, at),
                                        .from = from,
                                        .offset = offset,
                                        .at = at,
                                    });
}

static void copy_all(struct amp_body *body, LLVMValueRef at, unsigned first, int32_t offset)
{
    const unsigned n = (unsigned) LLVMGetNumOperands(at);

    for (unsigned i = first; i < n; i++)
        copy(body, at, i, offset);
}

static int64_t size_of(const struct amp_body *body, LLVMTypeRef type)
{
    return LLVMTypeIsSized(type) ? (int64_t) LLVMStoreSizeOfType(body->layout, type) : 0;
}

static void load(struct amp_body *body, LLVMValueRef at, unsigned pointer)
{
    const int from = amp_body_operand(body, LLVMGetOperand(at, pointer));

    if (from >= 0)
        amp_graph_add(&body->graph, (struct amp_constraint){
                                        .step = AMP_STEP_LOAD,
                                        .to = amp_body_operand(body, at),
                                        .from = from,
                                        .size = size_of(body, LLVMTypeOf(at)),
                                        .at = at,
                                    });
}

static void store(struct amp_body *body, LLVMValueRef at, unsigned value, unsigned pointer)
{
    const int from = amp_body_operand(body, LLVMGetOperand(at, value));
    const int to = amp_body_operand(body, LLVMGetOperand(at, pointer));

    if (from >= 0 && to >= 0)
        amp_graph_add(&body->graph, (struct amp_constraint){
                                        .step = AMP_STEP_STORE,
                                        .to = to,
                                        .from = from,
                                        .size = size_of(body, LLVMTypeOf(LLVMGetOperand(at, value))),
                                        .at = at,
                                    });
}

/* Arithmetic on a pointer stays in its object; on a null pointer or a fixed address the index may itself be a pointer
 * in disguise. */
static void address(struct amp_body *body, LLVMValueRef at)
{
    const unsigned n = (unsigned) LLVMGetNumOperands(at);

    for (unsigned i = 1; i < n && LLVMIsAConstant(LLVMGetOperand(at, 0)); i++)
        if (!LLVMIsAConstantInt(LLVMGetOperand(at, i)))
            copy(body, at, i, AMP_ANY);
    copy(body, at, 0, amp_address_offset(body->layout, at));
}

static void arithmetic(struct amp_body *body, LLVMValueRef at, LLVMOpcode opcode)
{
    LLVMValueRef a = LLVMGetOperand(at, 0), b = LLVMGetOperand(at, 1);
    const bool constant = LLVMIsAConstantInt(b) && LLVMGetIntTypeWidth(LLVMTypeOf(b)) <= 64;

    if (opcode == LLVMSub && amp_body_operand(body, a) >= 0 && amp_body_operand(body, b) >= 0) {
        amp_graph_add(&body->graph, (struct amp_constraint){
                                        .step = AMP_STEP_DIFFERENCE,
                                        .to = amp_body_operand(body, at),
                                        .from = amp_body_operand(body, a),
                                        .other = amp_body_operand(body, b),
                                        .at = at,
                                    });
        return;
    }
    copy_all(body, at, 0,
             opcode == LLVMAdd && constant ? amp_offset_add(0, LLVMConstIntGetSExtValue(b)) : AMP_ANY);
}

static void local(struct amp_body *body, LLVMValueRef at)
{
    amp_graph_add(&body->graph, (struct amp_constraint){
                                    .step = AMP_STEP_ADDRESS,
                                    .to = amp_body_operand(body, at),
                                    .from = amp_graph_new_memory(&body->graph, AMP_LOCAL, at),
                                    .at = at,
                                });
}

static void returns(struct amp_body *body, LLVMValueRef at)
{
    const int from = LLVMGetNumOperands(at) > 0 ? amp_body_operand(body, LLVMGetOperand(at, 0)) : -1;

    if (from >= 0)
        amp_graph_add(&body->graph, (struct amp_constraint){
                                        .step = AMP_STEP_COPY, .to = body->graph.returned, .from = from, .at = at });
}

/* Whether the jump from one block to another is taken only where the value is null. */
static bool is_null_there(LLVMValueRef value, LLVMBasicBlockRef from, LLVMBasicBlockRef to)
{
    LLVMValueRef jump = LLVMGetBasicBlockTerminator(from), condition;

    if (!LLVMIsABranchInst(jump) || !LLVMIsConditional(jump) || LLVMGetSuccessor(jump, 0) == LLVMGetSuccessor(jump, 1))
        return false;
    condition = LLVMGetCondition(jump);
    if (!LLVMIsAICmpInst(condition) || LLVMGetOperand(condition, 0) != value ||
        !LLVMIsAConstantPointerNull(LLVMGetOperand(condition, 1)))
        return false;
    return (LLVMGetICmpPredicate(condition) == LLVMIntEQ && LLVMGetSuccessor(jump, 0) == to) ||
           (LLVMGetICmpPredicate(condition) == LLVMIntNE && LLVMGetSuccessor(jump, 1) == to);
}

static void join(struct amp_body *body, LLVMValueRef at)
{
    for (unsigned i = 0; i < LLVMCountIncoming(at); i++)
        if (!is_null_there(LLVMGetOperand(at, i), LLVMGetIncomingBlock(at, i), LLVMGetInstructionParent(at)))
            copy(body, at, i, 0);
}

static void outside(struct amp_body *body, LLVMValueRef at)
{
    amp_graph_add(&body->graph, (struct amp_constraint){
                                    .step = AMP_STEP_COPY,
                                    .to = amp_body_operand(body, at),
                                    .from = body->graph.outside,
                                    .at = at,
                                });
}

static void memory_instruction(struct amp_body *body, LLVMValueRef at, LLVMOpcode opcode)
{
    switch (opcode) {
    case LLVMAlloca:
        local(body, at);
        break;
    case LLVMLoad:
        load(body, at, 0);
        break;
    case LLVMStore:
        store(body, at, 0, 1);
        break;
    case LLVMAtomicRMW:
        store(body, at, 1, 0);
        load(body, at, 0);
        break;
    case LLVMAtomicCmpXchg:
        store(body, at, 2, 0);
        load(body, at, 0);
        break;
    case LLVMGetElementPtr:
        address(body, at);
        break;
    default: /* va_arg: what a caller passed has escaped */
        load(body, at, 0);
        outside(body, at);
    }
}

static void value_instruction(struct amp_body *body, LLVMValueRef at, LLVMOpcode opcode)
{
    switch (opcode) {
    case LLVMBitCast:
    case LLVMAddrSpaceCast:
    case LLVMPtrToInt:
    case LLVMIntToPtr:
    case LLVMFreeze:
    case LLVMExtractValue:
    case LLVMInsertValue:
    case LLVMExtractElement:
    case LLVMInsertElement:
    case LLVMShuffleVector:
        copy_all(body, at, 0, 0);
        break;
    case LLVMPHI:
        join(body, at);
        break;
    case LLVMSelect:
        copy_all(body, at, 1, 0);
        break;
    case LLVMAdd:
    case LLVMSub:
        arithmetic(body, at, opcode);
        break;
    default:
        if (LLVMIsABinaryOperator(at) || LLVMIsACastInst(at) || LLVMIsAUnaryInstruction(at))
            copy_all(body, at, 0, AMP_ANY);
        else
            body->odd = true;
    }
}

static void read_instruction(struct amp_body *body, LLVMValueRef at)
{
    const LLVMOpcode opcode = LLVMGetInstructionOpcode(at);

    switch (opcode) {
    case LLVMBr:
    case LLVMSwitch:
    case LLVMIndirectBr:
    case LLVMUnreachable:
    case LLVMFence:
    case LLVMICmp:
    case LLVMFCmp:
    case LLVMResume:
        break;
    case LLVMRet:
        returns(body, at);
        break;
    case LLVMCall:
    case LLVMInvoke:
    case LLVMCallBr:
        amp_body_call(body, at);
        break;
    case LLVMLandingPad:
        outside(body, at);
        break;
    case LLVMAlloca:
    case LLVMLoad:
    case LLVMStore:
    case LLVMAtomicRMW:
    case LLVMAtomicCmpXchg:
    case LLVMGetElementPtr:
    case LLVMVAArg:
        memory_instruction(body, at, opcode);
        break;
    default:
        value_instruction(body, at, opcode);
    }
}

void amp_body_read(struct amp_body *body)
{
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(body->function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at && body->graph.constraints <= AMP_CONSTRAINTS_MOST;
             at = LLVMGetNextInstruction(at))
            read_instruction(body, at);
}
