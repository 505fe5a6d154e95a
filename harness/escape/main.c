/* SPDX-License-Identifier: MIT
 *
 * ampersand-escape FILE.bc...: which objects of a program outlive the frame that they are made in, as JSON on stdout.
 *
 * The files are what `clang -O2 -Xclang -disable-llvm-passes -fno-discard-value-names -g -emit-llvm -c` writes: one
 * alloca for each local, and no function that optimisations must leave alone. Locals whose address nobody takes become
 * values ("sroa"); nothing else is optimised, so that every allocation stays. */
#include <stdio.h>
#include <stdlib.h>

#include <llvm/Config/llvm-config.h>

#include "harness/escape/bodies/module.h"
#include "harness/escape/findings/allocations.h"
#include "harness/escape/findings/copies.h"
#include "harness/escape/findings/locals.h"
#include "harness/escape/findings/places.h"
#include "harness/text/complain.h"

static json_t *find(const struct amp_program *program)
{
    json_t *allocations = json_array(), *locals = json_array(), *given_up = json_array();
    size_t length;

    for (int f = 0; f < program->functions; f++) {
        const struct amp_function *function = &program->function[f];

        amp_allocations_find(program, function, allocations);
        amp_locals_find(function, locals);
        if (function->given_up)
            json_array_append_new(given_up,
                                  json_pack("{s:o, s:s}", "function",
                                            amp_name_json(LLVMGetValueName2(function->function, &length)), "why",
                                            function->given_up));
    }
    return json_pack("{s:i, s:o, s:o, s:o}", "functions", program->functions, "allocations", allocations, "locals",
                     locals, "given_up", given_up);
}

int main(int argc, char **argv)
{
    struct amp_program program;
    LLVMContextRef context;
    LLVMModuleRef module;
    json_t *found, *copied;
    int status = 2;

    if (argc < 2)
        return amp_complain(2, "ampersand-escape", "needs the names of bitcode files");
    if (strcmp(argv[1], "--version") == 0)
        return printf("LLVM %d\n", LLVM_VERSION_MAJOR) > 0 ? 0 : 2;
    context = LLVMContextCreate();
    module = amp_module_read(context, argv + 1, argc - 1);
    copied = module ? amp_copies_find(module) : NULL;
    if (module && amp_module_run(module, "function(sroa)")) {
        amp_program_solve(&program, module);
        found = find(&program);
        json_object_update(found, copied);
        status = json_dumpf(found, stdout, JSON_INDENT(1)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0
                     ? 0
                     : amp_complain(2, "stdout", "cannot be written");
        json_decref(found);
        amp_program_free(&program);
    }
    json_decref(copied);
    if (module)
        LLVMDisposeModule(module);
    LLVMContextDispose(context);
    return status;
}
