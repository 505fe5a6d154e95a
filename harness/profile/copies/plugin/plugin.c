/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/plugin/stages.h"

#include <llvm/Config/llvm-config.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_B 17 /* the calling convention passes up to 16 bytes in registers */

static void run(const struct amp_module *m, const char *stages)
{
    if (!m->is_late) {
        if (strstr(stages, "tag"))
            amp_copies_tag(m);
        if (strstr(stages, "source"))
            amp_copies_count(m, true);
        return;
    }
    if (strstr(stages, "late"))
        amp_copies_tag(m);
    if (strstr(stages, "settle"))
        amp_copies_settle(m);
    if (strstr(stages, "count"))
        amp_copies_count(m, false);
}

void amp_copies_run(LLVMModuleRef module, int is_late)
{
    const char *stages = getenv("AMPERSAND_COPIES");
    struct amp_module m = { module, LLVMGetModuleContext(module), LLVMGetModuleDataLayout(module), LEAST_B, is_late };

    if (!LLVMGetNamedMetadata(module, "llvm.dbg.cu", strlen("llvm.dbg.cu")))
        return; /* compiled without -g: there are no types */
#if LLVM_VERSION_MAJOR >= 19 /* its C API cannot walk the newer records of variables */
    LLVMBool records = LLVMIsNewDbgInfoFormat(module);

    LLVMSetIsNewDbgInfoFormat(module, false);
#endif
    run(&m, stages && *stages ? stages : "tag,late,settle");
#if LLVM_VERSION_MAJOR >= 19
    LLVMSetIsNewDbgInfoFormat(module, records);
#endif
}
