/* SPDX-License-Identifier: MIT */
#include "harness/escape/findings/surviving.h"

#include <string.h>

#include "harness/escape/findings/places.h"
#include "harness/escape/graph/path.h"

static bool passes_a_copy(LLVMValueRef call)
{
    const unsigned kind = LLVMGetEnumAttributeKindForName("byval", 5);

    for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++)
        if (LLVMGetCallSiteEnumAttribute(call, i + 1, kind))
            return true;
    return false;
}

static bool copies(LLVMValueRef at)
{
    LLVMValueRef called;
    size_t length;
    const char *name;

    if (LLVMIsAStoreInst(at))
        return !LLVMIsAConstant(LLVMGetOperand(at, 0));
    if (!amp_is_call(at))
        return false;
    called = amp_called_function(at);
    name = called ? LLVMGetValueName2(called, &length) : "";
    return strncmp(name, "llvm.memcpy", 11) == 0 || strncmp(name, "llvm.memmove", 12) == 0 || passes_a_copy(at);
}

json_t *amp_surviving_find(LLVMModuleRef module)
{
    json_t *list = json_array();

    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b)) {
            for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at)) {
                json_t *place;

                if (!copies(at))
                    continue;
                place = json_object();
                amp_place_set(place, at);
                json_array_append_new(list, place);
            }
        }
    }
    return json_pack("{s:o}", "copies", list);
}
