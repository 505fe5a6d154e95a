/* SPDX-License-Identifier: MIT
 *
 * What the C API has no way to do: hooks the stages into clang's own order of passes (clang -fpass-plugin=...), and
 * adds to a unit of debug information that is there already, and reads the tag of a type. */
#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Passes/PassPlugin.h>

extern "C" {
void amp_copies_run(LLVMModuleRef module, int is_late);
LLVMDIBuilderRef amp_copies_builder(LLVMModuleRef module, LLVMMetadataRef unit);
const char *amp_type_keyword(LLVMMetadataRef composite);
}

const char *amp_type_keyword(LLVMMetadataRef composite)
{
    switch (llvm::cast<llvm::DICompositeType>(reinterpret_cast<llvm::Metadata *>(composite))->getTag()) {
    case llvm::dwarf::DW_TAG_union_type:
        return "union ";
    case llvm::dwarf::DW_TAG_class_type:
        return "class ";
    default:
        return "struct ";
    }
}

LLVMDIBuilderRef amp_copies_builder(LLVMModuleRef module, LLVMMetadataRef unit)
{
    auto *known = llvm::cast<llvm::DICompileUnit>(reinterpret_cast<llvm::Metadata *>(unit));

    return reinterpret_cast<LLVMDIBuilderRef>(new llvm::DIBuilder(*llvm::unwrap(module), false, known));
}

namespace {

class copies : public llvm::PassInfoMixin<copies> {
public:
    explicit copies(bool late) : is_late(late) {}

    llvm::PreservedAnalyses run(llvm::Module &module, llvm::ModuleAnalysisManager &)
    {
        amp_copies_run(llvm::wrap(&module), is_late);
        return is_late ? llvm::PreservedAnalyses::none() : llvm::PreservedAnalyses::all();
    }

    static bool isRequired() { return true; } // also without optimisation

private:
    bool is_late;
};

void add(llvm::PassBuilder &builder)
{
    builder.registerPipelineStartEPCallback(
        [](llvm::ModulePassManager &passes, llvm::OptimizationLevel) { passes.addPass(copies(false)); });
#if LLVM_VERSION_MAJOR >= 20
    builder.registerOptimizerLastEPCallback([](llvm::ModulePassManager &passes, llvm::OptimizationLevel,
                                               llvm::ThinOrFullLTOPhase) { passes.addPass(copies(true)); });
#else
    builder.registerOptimizerLastEPCallback(
        [](llvm::ModulePassManager &passes, llvm::OptimizationLevel) { passes.addPass(copies(true)); });
#endif
}

} // namespace

extern "C" __attribute__((visibility("default"))) llvm::PassPluginLibraryInfo llvmGetPassPluginInfo()
{
    return { LLVM_PLUGIN_API_VERSION, "ampersand copies", "1", add };
}
