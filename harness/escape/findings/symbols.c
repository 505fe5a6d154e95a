/* SPDX-License-Identifier: MIT */
#include "harness/escape/findings/symbols.h"

#include <string.h>

#include "harness/escape/findings/places.h"
#include "harness/text/utf8.h"

static void look(LLVMValueRef global, json_t *defines, json_t *needs)
{
    const LLVMLinkage linkage = LLVMGetLinkage(global);
    size_t length;
    const char *name = LLVMGetValueName2(global, &length);

    if (strncmp(name, "llvm.", 5) == 0 || linkage == LLVMInternalLinkage || linkage == LLVMPrivateLinkage)
        return;
    if (!LLVMIsDeclaration(global) && linkage != LLVMAvailableExternallyLinkage)
        json_array_append_new(defines, amp_text_json(name));
    else if (LLVMGetFirstUse(global))
        json_array_append_new(needs, amp_text_json(name));
}

json_t *amp_symbols_find(LLVMModuleRef module)
{
    json_t *defines = json_array(), *needs = json_array();

    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        look(f, defines, needs);
    for (LLVMValueRef g = LLVMGetFirstGlobal(module); g; g = LLVMGetNextGlobal(g))
        look(g, defines, needs);
    for (LLVMValueRef a = LLVMGetFirstGlobalAlias(module); a; a = LLVMGetNextGlobalAlias(a))
        look(a, defines, needs);
    return json_pack("{s:o, s:o}", "defines", defines, "needs", needs);
}
