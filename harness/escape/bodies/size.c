/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/size.h"

#include "harness/escape/bodies/bound.h"

static const struct amp_size unknown;

static struct amp_size one(char what, uint64_t value)
{
    return (struct amp_size){ .n = 1, .step = { { what, value } } };
}

static bool calculate(uint64_t a, uint64_t b, char operator, uint64_t *result)
{
    switch (operator) {
    case '+':
        return !__builtin_add_overflow(a, b, result);
    case '-':
        return !__builtin_sub_overflow(a, b, result);
    case '*':
        return !__builtin_mul_overflow(a, b, result);
    case '&':
        *result = a & b;
        return true;
    case '|':
        *result = a | b;
        return true;
    case '<':
        *result = b < 64 ? a << b : 0;
        return b < 64 && *result >> b == a;
    default:
        *result = b < 64 ? a >> b : 0;
        return true;
    }
}

bool amp_size_is_number(const struct amp_size *size, uint64_t *bytes)
{
    *bytes = size->n == 1 ? size->step[0].value : 0;
    return size->n == 1 && size->step[0].what == 'c';
}

struct amp_size amp_size_join(struct amp_size a, struct amp_size b, char operator)
{
    const int most = sizeof a.step / sizeof a.step[0];
    uint64_t left, right, result;

    if (a.n == 0 || b.n == 0)
        return unknown;
    if (amp_size_is_number(&a, &left) && amp_size_is_number(&b, &right))
        return calculate(left, right, operator, &result) ? one('c', result) : unknown;
    if (a.n + b.n + 1 > most)
        return unknown;
    for (int i = 0; i < b.n; i++)
        a.step[a.n++] = b.step[i];
    a.step[a.n].what = operator;
    a.step[a.n++].value = 0;
    return a;
}

static char operator_of(LLVMOpcode opcode)
{
    switch (opcode) {
    case LLVMAdd:
        return '+';
    case LLVMSub:
        return '-';
    case LLVMMul:
        return '*';
    case LLVMAnd:
        return '&';
    case LLVMOr:
        return '|';
    case LLVMShl:
        return '<';
    case LLVMLShr:
        return '>';
    default:
        return '\0';
    }
}

static struct amp_size size_of(LLVMValueRef value, int depth)
{
    LLVMOpcode opcode = LLVMIsAInstruction(value) ? LLVMGetInstructionOpcode(value) : 0;

    while (opcode == LLVMZExt || opcode == LLVMSExt || opcode == LLVMTrunc) {
        value = LLVMGetOperand(value, 0);
        opcode = LLVMIsAInstruction(value) ? LLVMGetInstructionOpcode(value) : 0;
    }
    if (LLVMIsAConstantInt(value) && LLVMGetIntTypeWidth(LLVMTypeOf(value)) <= 64)
        return one('c', LLVMConstIntGetZExtValue(value));
    if (LLVMIsAArgument(value)) {
        LLVMValueRef function = LLVMGetParamParent(value);
        uint64_t i = 0;

        while (LLVMGetParam(function, (unsigned) i) != value)
            i++;
        return one('a', i);
    }
    if (!operator_of(opcode) || depth == 0)
        return unknown;
    return amp_size_join(size_of(LLVMGetOperand(value, 0), depth - 1), size_of(LLVMGetOperand(value, 1), depth - 1),
                         operator_of(opcode));
}

struct amp_size amp_size_of(LLVMValueRef value)
{
    return size_of(value, 8);
}

bool amp_size_is_same(const struct amp_size *a, const struct amp_size *b)
{
    for (int i = 0; i < a->n && i < b->n; i++)
        if (a->step[i].what != b->step[i].what || a->step[i].value != b->step[i].value)
            return false;
    return a->n == b->n;
}

/* By a stack, as postfix is read. */
struct amp_size amp_size_at_call(const struct amp_size *size, LLVMValueRef call)
{
    struct amp_size stack[sizeof size->step / sizeof size->step[0]];
    int n = 0;

    for (int i = 0; i < size->n; i++) {
        const char what = size->step[i].what;

        if (what == 'c') {
            stack[n++] = one('c', size->step[i].value);
        } else if (what == 'a') {
            stack[n++] = size->step[i].value < LLVMGetNumArgOperands(call)
                             ? amp_size_of(LLVMGetOperand(call, (unsigned) size->step[i].value))
                             : unknown;
        } else {
            n--;
            stack[n - 1] = amp_size_join(stack[n - 1], stack[n], what);
        }
    }
    return n > 0 ? stack[0] : unknown;
}

static bool join_most(uint64_t *a, uint64_t b, char operator)
{
    switch (operator) {
    case '+':
    case '*':
    case '<':
        return calculate(*a, b, operator, a);
    case '|': /* at most the sum */
        return calculate(*a, b, '+', a);
    case '&':
        *a = b < *a ? b : *a;
        return true;
    default: /* a shift to the right makes it no larger; of a difference nothing is known */
        return operator == '>';
    }
}

uint64_t amp_size_most_at_call(const struct amp_size *size, LLVMValueRef call)
{
    uint64_t stack[sizeof size->step / sizeof size->step[0]];
    int n = 0;

    for (int i = 0; i < size->n; i++) {
        const char what = size->step[i].what;
        const uint64_t number = size->step[i].value;

        if (what == 'c')
            stack[n++] = number;
        else if (what != 'a' && join_most(&stack[n - 2], stack[n - 1], what))
            n--;
        else if (what == 'a' && number < LLVMGetNumArgOperands(call) &&
                 amp_bound_find(LLVMGetOperand(call, (unsigned) number), call, &stack[n]))
            n++;
        else
            return 0;
    }
    return n > 0 ? stack[0] : 0;
}
