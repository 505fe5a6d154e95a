/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/plugin/moves.h"

#include <string.h>

/* The function that a call names; NULL: it is no call, or through a pointer. */
static const char *name_of_called(LLVMValueRef instruction)
{
    LLVMValueRef called = LLVMIsACallInst(instruction) ? LLVMGetCalledValue(instruction) : NULL;
    size_t length;

    return called && LLVMIsAFunction(called) ? LLVMGetValueName2(called, &length) : NULL;
}

bool amp_is_move(LLVMValueRef instruction)
{
    static const char *const names[] = { "llvm.memcpy.", "llvm.memmove." };
    const char *name = name_of_called(instruction);

    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0 && !strstr(name, ".element."))
            return true;
    return name && (strcmp(name, "memcpy") == 0 || strcmp(name, "memmove") == 0);
}

static LLVMTypeRef attribute_of_call(LLVMValueRef call, unsigned argument, const char *attribute)
{
    LLVMAttributeRef found = LLVMGetCallSiteEnumAttribute(
        call, argument + 1, LLVMGetEnumAttributeKindForName(attribute, strlen(attribute)));

    return found ? LLVMGetTypeAttributeValue(found) : NULL;
}

LLVMTypeRef amp_byval_type(LLVMValueRef call, unsigned argument)
{
    return attribute_of_call(call, argument, "byval");
}

uint64_t amp_byval_b(const struct amp_module *m, LLVMValueRef call, uint64_t least_b)
{
    unsigned n = LLVMIsACallInst(call) ? LLVMGetNumArgOperands(call) : 0;
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++) {
        LLVMTypeRef type = amp_byval_type(call, i);
        uint64_t size_b = type ? LLVMABISizeOfType(m->layout, type) : 0;

        sum += size_b >= least_b ? size_b : 0;
    }
    return sum;
}

bool amp_is_used_as(LLVMValueRef pointer, const char *attribute)
{
    for (LLVMUseRef use = LLVMGetFirstUse(pointer); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef call = LLVMGetUser(use);
        unsigned n = LLVMIsACallInst(call) ? LLVMGetNumArgOperands(call) : 0;

        for (unsigned i = 0; i < n; i++)
            if (LLVMGetOperand(call, i) == pointer && attribute_of_call(call, i, attribute))
                return true;
    }
    return false;
}
