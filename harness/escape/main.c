/* SPDX-License-Identifier: MIT
 *
 * ampersand-escape [--closed|--open] FILE.bc...: which objects of a program outlive the frame that they are made in, as
 * JSON on stdout. --closed: pointers to functions point at no others than those whose address the program takes;
 * --open: they may, since files are missing.
 * ampersand-escape --surviving FILE.bc...: where objects are still copied after -O2.
 * ampersand-escape --symbols FILE.bc...: the names that each file defines, and those that it needs of others.
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
#include "harness/escape/findings/passed.h"
#include "harness/escape/findings/places.h"
#include "harness/escape/findings/surviving.h"
#include "harness/escape/findings/symbols.h"
#include "harness/escape/targets/fields.h"
#include "harness/files/record.h"
#include "harness/text/complain.h"
#include "harness/text/utf8.h"

/* The names of the functions that it may call, as far as they are known. */
static json_t *calls_of(const struct amp_function *function)
{
    json_t *names = json_array();
    size_t length;

    for (int c = 0; c < function->calls; c++)
        json_array_append_new(names, amp_text_json(LLVMGetValueName2(function->called[c]->function, &length)));
    return names;
}

struct found {
    const char *version;
    int functions;
    json_t *allocations, *locals, *given_up, *wrappers, *passed, *calls;
    int through_pointers, resolved;
    const char *open;
};

#define FOUND(member) AMP_FIELD(struct found, member)
static const struct amp_record found_record = {
    AMP_FIELDS(FOUND(version), FOUND(functions), FOUND(allocations), FOUND(locals), FOUND(given_up), FOUND(wrappers),
               FOUND(passed), FOUND(calls),
               AMP_GROUP("pointers", AMP_OF(AMP_FIELD_AS("calls", struct found, through_pointers), FOUND(resolved),
                                            AMP_FIELD_AS("why", struct found, open))))
};

static json_t *find(struct amp_program *program)
{
    struct found found = { .version = AMP_VERSION, .functions = program->functions, .allocations = json_array(),
                           .locals = json_array(), .given_up = json_array(), .wrappers = json_array(),
                           .passed = json_array(), .calls = json_object(), .open = program->world.open };
    size_t length;

    for (int f = 0; f < program->functions; f++) {
        const struct amp_function *function = &program->function[f];
        json_t *name = amp_text_json(LLVMGetValueName2(function->function, &length));

        amp_allocations_find(program, function, found.allocations);
        amp_locals_find(function, found.locals);
        amp_wrappers_find(function, found.wrappers);
        amp_passed_find(program, function, found.passed);
        json_object_set_new(found.calls, json_string_value(name), calls_of(function));
        found.through_pointers += function->through_pointers;
        found.resolved += function->resolved;
        if (function->given_up)
            json_array_append_new(found.given_up,
                                  json_pack("{s:O, s:s}", "function", name, "why", function->given_up));
        json_decref(name);
    }
    return amp_record_write(&found_record, &found);
}

static int print(json_t *found)
{
    const bool printed = json_dumpf(found, stdout, JSON_INDENT(1)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;

    json_decref(found);
    return printed ? 0 : amp_complain(2, "stdout", "cannot be written");
}

static int list_symbols(LLVMContextRef context, char *const *paths, int n)
{
    json_t *files = json_array();
    bool left_out;

    for (int i = 0; i < n; i++) {
        LLVMModuleRef module = amp_module_read(context, paths + i, 1, &left_out);

        if (!module) {
            json_decref(files);
            return 2;
        }
        json_array_append_new(files, amp_symbols_find(module));
        LLVMDisposeModule(module);
    }
    return print(files);
}

static int analyse(LLVMContextRef context, char *const *paths, int n, enum amp_whole whole)
{
    bool left_out;
    LLVMModuleRef module = amp_module_read(context, paths, n, &left_out);
    struct amp_program program;
    struct amp_fields *fields;
    json_t *found, *copied;
    int status = 2;

    if (!module)
        return status;
    if (left_out && whole == AMP_WHOLE_IF_SEEN)
        whole = AMP_WHOLE_NOT;
    copied = amp_copies_find(module);
    fields = amp_fields_find(module);
    if (amp_module_run(module, "function(sroa)")) {
        amp_program_solve(&program, module, fields, whole);
        if (program.exhausted && !program.world.open[0]) { /* fewer calls are followed then */
            amp_program_free(&program);
            amp_program_solve(&program, module, fields, AMP_WHOLE_TOO_LARGE);
        }
        found = find(&program);
        json_object_update(found, copied);
        status = print(found);
        amp_program_free(&program);
    }
    json_decref(copied);
    amp_fields_free(fields);
    LLVMDisposeModule(module);
    return status;
}

static int list_surviving(LLVMContextRef context, char *const *paths, int n)
{
    bool left_out;
    LLVMModuleRef module = amp_module_read(context, paths, n, &left_out);
    int status = 2;

    if (!module)
        return status;
    if (amp_module_run(module, "default<O2>"))
        status = print(amp_surviving_find(module));
    LLVMDisposeModule(module);
    return status;
}

int main(int argc, char **argv)
{
    enum amp_whole whole = AMP_WHOLE_IF_SEEN;
    const char *first = argc > 1 ? argv[1] : "";
    LLVMContextRef context;
    int status;

    if (strcmp(first, "--version") == 0)
        return printf("LLVM %d\n", LLVM_VERSION_MAJOR) > 0 ? 0 : 2;
    if (argc < 2 + (first[0] == '-'))
        return amp_complain(2, "ampersand-escape", "needs the names of bitcode files");
    context = LLVMContextCreate();
    if (strcmp(first, "--symbols") == 0) {
        status = list_symbols(context, argv + 2, argc - 2);
    } else if (strcmp(first, "--surviving") == 0) {
        status = list_surviving(context, argv + 2, argc - 2);
    } else {
        if (first[0] == '-')
            whole = strcmp(first, "--closed") == 0 ? AMP_WHOLE_BY_PROMISE : AMP_WHOLE_NOT;
        status = analyse(context, argv + 1 + (first[0] == '-'), argc - 1 - (first[0] == '-'), whole);
    }
    LLVMContextDispose(context);
    return status;
}
