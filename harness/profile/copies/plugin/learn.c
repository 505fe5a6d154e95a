/* SPDX-License-Identifier: MIT
 *
 * source   LLVM, Source Level Debugging: dbg.declare, dbg.value, dbg.assign
 */
#include "harness/profile/copies/plugin/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct amp_named {
    char *key; /* "144 order" */
    LLVMMetadataRef type;
    UT_hash_handle hh;
};

static void add_named(struct amp_types *types, LLVMMetadataRef type, const char *name)
{
    LLVMMetadataRef bare = amp_type_strip(types->m, type);
    struct amp_named *found;
    char key[512];

    if (!amp_type_is_composite(bare) || amp_type_is_array(types->m, bare))
        return;
    snprintf(key, sizeof key, "%llu %s", (unsigned long long) amp_type_size_b(bare), name);
    HASH_FIND_STR(types->named, key, found);
    if (found)
        return;
    found = calloc(1, sizeof *found);
    if (!found || !(found->key = strdup(key)))
        abort();
    found->type = type;
    HASH_ADD_KEYPTR(hh, types->named, found->key, strlen(found->key), found);
}

static void collect(struct amp_types *types, LLVMMetadataRef type)
{
    const struct amp_module *m = types->m;
    bool is_call = amp_md_is(type, LLVMDISubroutineTypeMetadataKind);
    LLVMMetadataRef *parts;
    const char *name;
    unsigned n;

    if ((!amp_type_is_derived(type) && !amp_type_is_composite(type) && !is_call) || amp_map_get(&types->seen, type))
        return;
    amp_map_set(&types->seen, type, type);
    name = is_call ? NULL : amp_md_name(m, type);
    if (name)
        add_named(types, type, name);
    if (!is_call)
        collect(types, amp_md_operand(m, type, AMP_MD_BASE));
    parts = amp_md_operands(m, amp_md_operand(m, type, is_call ? AMP_MD_BASE : AMP_MD_MEMBERS), &n);
    for (unsigned i = 0; i < n; i++)
        collect(types, parts[i]);
    free(parts);
}

/* The value that a debug intrinsic names; NULL: none, or several. */
static LLVMValueRef described(LLVMValueRef call, unsigned operand)
{
    LLVMValueRef wrapped = LLVMGetOperand(call, operand), value = NULL;
    LLVMMetadataKind kind = LLVMGetMetadataKind(LLVMValueAsMetadata(wrapped));

    if (kind == LLVMLocalAsMetadataMetadataKind || kind == LLVMConstantAsMetadataMetadataKind)
        LLVMGetMDNodeOperands(wrapped, &value);
    return value;
}

static void learn_from(struct amp_types *types, LLVMValueRef call, const char *name)
{
    bool is_value = strcmp(name, "llvm.dbg.value") == 0, is_assignment = strcmp(name, "llvm.dbg.assign") == 0;
    LLVMMetadataRef variable, type;
    LLVMValueRef value;
    unsigned n;

    if (strcmp(name, "llvm.dbg.declare") != 0 && !is_assignment && !is_value)
        return;
    value = described(call, is_assignment ? 4 : 0); /* clang 17 and later track assignments */
    variable = LLVMValueAsMetadata(LLVMGetOperand(call, 1));
    type = amp_md_operand(types->m, variable, AMP_MD_VARIABLE_TYPE);
    collect(types, type);
    if (!value || !type)
        return;
    if (is_value) {
        free(amp_md_operands(types->m, LLVMValueAsMetadata(LLVMGetOperand(call, 2)), &n));
        if (n == 0) /* no arithmetic on it */
            amp_map_set(&types->pointers, value, type);
        return;
    }
    amp_map_set(&types->declared, value, type);
    if (LLVMInstructionGetDebugLoc(call))
        amp_map_set(&types->places, value, LLVMInstructionGetDebugLoc(call));
    if (types->m->is_late)
        amp_map_set(&types->variables, value, variable);
}

LLVMMetadataRef amp_types_global(const struct amp_types *types, LLVMValueRef global)
{
    size_t n = 0;
    LLVMValueMetadataEntry *entries = LLVMGlobalCopyAllMetadata(global, &n);
    LLVMMetadataRef type = NULL;

    for (unsigned i = 0; i < n; i++) {
        LLVMMetadataRef one = LLVMValueMetadataEntriesGetMetadata(entries, i);

        if (amp_md_is(one, LLVMDIGlobalVariableExpressionMetadataKind))
            type = amp_md_operand(types->m, LLVMDIGlobalVariableExpressionGetVariable(one), AMP_MD_VARIABLE_TYPE);
    }
    LLVMDisposeValueMetadataEntries(entries);
    return type;
}

static void learn_function(struct amp_types *types, LLVMValueRef function)
{
    LLVMMetadataRef subprogram = LLVMGetSubprogram(function);

    if (subprogram)
        collect(types, amp_md_operand(types->m, subprogram, AMP_MD_SUBPROGRAM_TYPE));
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i)) {
            LLVMValueRef called = LLVMIsACallInst(i) ? LLVMGetCalledValue(i) : NULL;
            size_t length;

            if (called && LLVMIsAFunction(called) && LLVMGetIntrinsicID(called))
                learn_from(types, i, LLVMGetValueName2(called, &length));
        }
}

void amp_types_learn(struct amp_types *types, const struct amp_module *m)
{
    unsigned n = LLVMGetNamedMetadataNumOperands(m->module, "llvm.dbg.cu");
    LLVMValueRef *units = calloc(n + 1, sizeof *units);

    *types = (struct amp_types){ .m = m };
    if (!units)
        abort();
    for (LLVMValueRef f = LLVMGetFirstFunction(m->module); f; f = LLVMGetNextFunction(f))
        learn_function(types, f);
    for (LLVMValueRef g = LLVMGetFirstGlobal(m->module); g; g = LLVMGetNextGlobal(g))
        collect(types, amp_types_global(types, g));
    LLVMGetNamedMetadataOperands(m->module, "llvm.dbg.cu", units);
    for (unsigned i = 0; i < n; i++) {
        LLVMMetadataRef *kept, unit = LLVMValueAsMetadata(units[i]);
        unsigned n_kept;

        kept = amp_md_operands(m, amp_md_operand(m, unit, AMP_MD_UNIT_RETAINED), &n_kept);
        for (unsigned k = 0; k < n_kept; k++)
            collect(types, kept[k]);
        free(kept);
    }
    free(units);
}

void amp_types_free(struct amp_types *types)
{
    struct amp_named *one, *next;

    HASH_ITER(hh, types->named, one, next) {
        HASH_DEL(types->named, one);
        free(one->key);
        free(one);
    }
    amp_map_free(&types->declared);
    amp_map_free(&types->pointers);
    amp_map_free(&types->variables);
    amp_map_free(&types->places);
    amp_map_free(&types->seen);
}

LLVMMetadataRef amp_types_named(const struct amp_types *types, LLVMTypeRef type)
{
    struct amp_named *found;
    const char *name, *number;
    char key[512];
    size_t length;

    while (LLVMGetTypeKind(type) == LLVMArrayTypeKind)
        type = LLVMGetElementType(type);
    name = LLVMGetTypeKind(type) == LLVMStructTypeKind && LLVMTypeIsSized(type) ? LLVMGetStructName(type) : NULL;
    name = name ? strchr(name, '.') : NULL;
    if (!name)
        return NULL;
    length = strlen(++name);
    number = strrchr(name, '.');
    if (number && number[1] && strspn(number + 1, "0123456789") == strlen(number + 1))
        length = (size_t) (number - name);
    snprintf(key, sizeof key, "%llu %.*s", LLVMABISizeOfType(types->m->layout, type), (int) length, name);
    HASH_FIND_STR(types->named, key, found);
    return found ? found->type : NULL;
}
