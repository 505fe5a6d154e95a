/* SPDX-License-Identifier: MIT */
#include "harness/escape/targets/world.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "harness/escape/graph/path.h"
#include "harness/escape/targets/fields.h"
#include "harness/escape/targets/libc.h"

#if __has_include(<gnu/lib-names.h>)
#include <gnu/lib-names.h>
#else
#define LIBC_SO "libc.so"
#define LIBM_SO "libm.so"
#endif

struct amp_calls {
    LLVMValueRef call;
    struct amp_targets targets;
    UT_hash_handle hh;
};

/* Whether a value is used in another way than to be called. */
static bool is_taken(LLVMValueRef value)
{
    for (LLVMUseRef use = LLVMGetFirstUse(value); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        bool passed = false;

        if (LLVMIsAConstantExpr(user)) {
            if (is_taken(user))
                return true;
            continue;
        }
        if (!LLVMIsAInstruction(user) || !amp_is_call(user))
            return true;
        for (unsigned i = 0; i < LLVMGetNumArgOperands(user); i++)
            passed = passed || LLVMGetOperand(user, i) == value;
        if (passed || LLVMGetCalledValue(user) != value)
            return true;
    }
    return false;
}

static bool is_of_library(const char *name)
{
    static const char *const files[] = { LIBC_SO, LIBM_SO };
    static const char *const linked[] = { "atexit", "at_quick_exit", "pthread_atfork" }; /* into each program */
    bool found = amp_libc_find(name) != NULL;

    for (size_t i = 0; i < sizeof linked / sizeof linked[0]; i++)
        found = found || strcmp(name, linked[i]) == 0;
    for (int f = 0; f < 2 && !found; f++) {
        void *library = dlopen(files[f], RTLD_LAZY | RTLD_LOCAL);

        found = library && dlsym(library, name);
        if (library)
            dlclose(library);
    }
    return found;
}

/* Its functions come from files that this program does not hold. */
static bool loads_code(const char *name)
{
    static const char *const known[] = { "dlsym", "dlvsym", "dlfunc", "dlmopen", NULL };

    for (int i = 0; known[i]; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

static void look_at_function(struct amp_world *world, LLVMValueRef function)
{
    size_t length;
    const char *name = LLVMGetValueName2(function, &length);

    if (strncmp(name, "llvm.", 5) == 0 || !LLVMGetFirstUse(function))
        return;
    if (is_taken(function))
        amp_targets_add(&world->taken, function);
    if (world->open[0] || LLVMCountBasicBlocks(function) > 0)
        return;
    if (loads_code(name))
        snprintf(world->open, sizeof world->open, "%s() brings in code that is not seen", name);
    else if (!is_of_library(name))
        snprintf(world->open, sizeof world->open, "%s() has no body here", name);
}

static void look_at_variable(struct amp_world *world, LLVMValueRef variable)
{
    size_t length;
    const char *name = LLVMGetValueName2(variable, &length);

    if (!world->open[0] && LLVMIsDeclaration(variable) && LLVMGetFirstUse(variable) && !is_of_library(name))
        snprintf(world->open, sizeof world->open, "what `%s` holds is not seen", name);
}

void amp_world_find(struct amp_world *world, LLVMModuleRef module, struct amp_fields *fields, enum amp_whole whole)
{
    LLVMValueRef main_function = LLVMGetNamedFunction(module, "main");

    *world = (struct amp_world){ .fields = fields };
    if (whole == AMP_WHOLE_NOT)
        snprintf(world->open, sizeof world->open, "files were left out");
    else if (whole == AMP_WHOLE_TOO_LARGE)
        snprintf(world->open, sizeof world->open, "to follow them takes too many steps");
    else if (!main_function || LLVMCountBasicBlocks(main_function) == 0)
        snprintf(world->open, sizeof world->open, "there is no main(): callers that are not seen may pass others");
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        look_at_function(world, f);
    for (LLVMValueRef g = LLVMGetFirstGlobal(module); g; g = LLVMGetNextGlobal(g))
        look_at_variable(world, g);
    if (whole == AMP_WHOLE_BY_PROMISE)
        world->open[0] = '\0';
}

void amp_world_free(struct amp_world *world)
{
    struct amp_calls *calls, *next;

    HASH_ITER(hh, world->known, calls, next)
    {
        HASH_DEL(world->known, calls);
        free(calls->targets.at);
        free(calls);
    }
    free(world->taken.at);
}

/* Pointers are one class, whatever they point at; integers of each width are one. */
static int class_of(LLVMTypeRef type)
{
    const LLVMTypeKind kind = LLVMGetTypeKind(type);

    return kind == LLVMIntegerTypeKind ? (int) LLVMGetIntTypeWidth(type) : -(int) kind - 1;
}

/* C calls a function by a type that is compatible with its own. What is passed beyond its parameters does no harm, so
 * that callbacks which leave out their last parameters are met; a type without a prototype says nothing of them. */
static bool fits(LLVMTypeRef called, LLVMTypeRef own)
{
    const unsigned passed = LLVMCountParamTypes(called), taken = LLVMCountParamTypes(own);
    LLVMTypeRef passes[64], takes[64];

    if (class_of(LLVMGetReturnType(called)) != class_of(LLVMGetReturnType(own)))
        return false;
    if (LLVMIsFunctionVarArg(called) || passed > 64)
        return true;
    if (taken > passed || LLVMIsFunctionVarArg(own))
        return false;
    LLVMGetParamTypes(called, passes);
    LLVMGetParamTypes(own, takes);
    for (unsigned i = 0; i < taken; i++)
        if (class_of(passes[i]) != class_of(takes[i]))
            return false;
    return true;
}

/* Each function that a constant holds. */
static void add_functions_of(struct amp_targets *targets, LLVMValueRef constant, LLVMTypeRef called)
{
    int n;

    constant = amp_without_casts(constant);
    n = LLVMGetNumOperands(constant);
    if (LLVMIsAFunction(constant)) {
        if (fits(called, LLVMGlobalGetValueType(constant)))
            amp_targets_add(targets, constant);
        return;
    }
    for (int i = 0; i < n && !LLVMIsAGlobalValue(constant); i++)
        add_functions_of(targets, LLVMGetOperand(constant, (unsigned) i), called);
}

static bool is_final(LLVMValueRef variable)
{
    const LLVMLinkage linkage = LLVMGetLinkage(variable);

    return linkage == LLVMExternalLinkage || linkage == LLVMInternalLinkage || linkage == LLVMPrivateLinkage;
}

/* The constant variable that an address lies in; else NULL. */
static LLVMValueRef constant_table(LLVMValueRef pointer)
{
    for (;;) {
        const bool is_step = LLVMIsAGetElementPtrInst(pointer) || LLVMIsABitCastInst(pointer) ||
                             (LLVMIsAConstantExpr(pointer) && (LLVMGetConstOpcode(pointer) == LLVMGetElementPtr ||
                                                               LLVMGetConstOpcode(pointer) == LLVMBitCast));

        if (!is_step)
            break;
        pointer = LLVMGetOperand(pointer, 0);
    }
    return LLVMIsAGlobalVariable(pointer) && LLVMIsGlobalConstant(pointer) && LLVMGetInitializer(pointer) &&
                   !LLVMIsExternallyInitialized(pointer) && is_final(pointer)
               ? pointer
               : NULL;
}

static void find_targets(const struct amp_world *world, LLVMValueRef call, struct amp_targets *targets)
{
    LLVMValueRef called = amp_without_casts(LLVMGetCalledValue(call)), table = NULL;
    LLVMTypeRef type = LLVMGetCalledFunctionType(call);
    const struct amp_field *field;

    if (LLVMIsAFunction(called)) {
        amp_targets_add(targets, called);
        return;
    }
    if (LLVMIsAInlineAsm(called) || LLVMIsAGlobalValue(called))
        return;
    if (LLVMIsALoadInst(called))
        table = constant_table(LLVMGetOperand(called, 0));
    if (table)
        add_functions_of(targets, LLVMGetInitializer(table), type);
    if (targets->n > 0 || world->open[0])
        return;
    field = amp_fields_of(world->fields, called);
    for (int f = 0; f < world->taken.n; f++)
        if (fits(type, LLVMGlobalGetValueType(world->taken.at[f])) &&
            (!field || amp_field_may_hold(world->fields, field, world->taken.at[f])))
            amp_targets_add(targets, world->taken.at[f]);
}

const struct amp_targets *amp_world_targets(struct amp_world *world, LLVMValueRef call)
{
    struct amp_calls *calls;
    int room = 0;

    HASH_FIND_PTR(world->known, &call, calls);
    if (calls)
        return &calls->targets;
    calls = amp_escape_grow(NULL, &room, 0, sizeof *calls);
    *calls = (struct amp_calls){ .call = call };
    find_targets(world, call, &calls->targets);
    if (calls->targets.n > AMP_TARGETS_MOST)
        calls->targets.n = 0;
    HASH_ADD_PTR(world->known, call, calls);
    return &calls->targets;
}
