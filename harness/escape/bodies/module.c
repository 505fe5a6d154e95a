/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/module.h"

#include <stdio.h>
#include <stdlib.h>

#include <llvm-c/DebugInfo.h>
#include <llvm-c/Error.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Linker.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <llvm/Config/llvm-config.h>

#include "harness/text/complain.h"

static char said[500]; /* the last error of LLVM */

static void hear(LLVMDiagnosticInfoRef info, void *unused)
{
    char *text;

    (void) unused;
    if (LLVMGetDiagInfoSeverity(info) != LLVMDSError)
        return;
    text = LLVMGetDiagInfoDescription(info);
    snprintf(said, sizeof said, "%s", text);
    LLVMDisposeMessage(text);
}

static LLVMModuleRef read_one(LLVMContextRef context, const char *path)
{
    LLVMMemoryBufferRef buffer;
    LLVMModuleRef module;
    char *why = NULL;

    if (LLVMCreateMemoryBufferWithContentsOfFile(path, &buffer, &why) != 0) {
        amp_complain(2, path, "%s", why);
        LLVMDisposeMessage(why);
        return NULL;
    }
    said[0] = '\0';
    if (LLVMParseIRInContext(context, buffer, &module, &why) != 0) {
        amp_complain(2, path, "is no bitcode that LLVM %s reads: %s", LLVM_VERSION_STRING, why ? why : said);
        LLVMDisposeMessage(why);
        return NULL;
    }
#if LLVM_VERSION_MAJOR == 19 || LLVM_VERSION_MAJOR == 20
    LLVMSetIsNewDbgInfoFormat(module, 0);
#endif
    return module;
}

LLVMModuleRef amp_module_read(LLVMContextRef context, char *const *paths, int n, bool *left_out)
{
    LLVMModuleRef whole = NULL;

    *left_out = false;
    LLVMContextSetDiagnosticHandler(context, hear, NULL);
    for (int i = 0; i < n; i++) {
        LLVMModuleRef module = read_one(context, paths[i]);

        if (!module) {
            if (whole)
                LLVMDisposeModule(whole);
            return NULL;
        }
        if (!whole)
            whole = module;
        else if (LLVMLinkModules2(whole, module) != 0)
            *left_out = amp_complain(1, paths[i], "left out: %s", said) != 0;
    }
    return whole;
}

bool amp_module_run(LLVMModuleRef module, const char *passes)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(module, passes, NULL, options);

    LLVMDisposePassBuilderOptions(options);
    if (error) {
        char *why = LLVMGetErrorMessage(error);

        amp_complain(2, passes, "%s", why);
        LLVMDisposeErrorMessage(why);
        return false;
    }
    return true;
}
