/* SPDX-License-Identifier: MIT */
#include "harness/escape/findings/passed.h"

#include <string.h>

#include <llvm-c/DebugInfo.h>

#include "harness/escape/findings/places.h"
#include "harness/escape/targets/member.h"
#include "harness/text/utf8.h"

enum { DEPTH_MOST = 6 };

static bool starts(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Functions of the C library that write to no memory of the program. */
static bool is_reader_of_library(const char *name)
{
    static const char *const known[] = {
        "__assert_fail", "_exit", "abort", "abs", "atoi", "atol", "bcmp", "ceil", "cos", "exp", "fabs", "floor",
        "isalnum", "isalpha", "isdigit", "isspace", "labs", "log", "memcmp", "pow", "putchar", "puts", "sin", "sqrt",
        "strcasecmp", "strcmp", "strlen", "strncasecmp", "strncmp", "strnlen", "tolower", "toupper", NULL
    };

    for (int i = 0; known[i]; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

static bool is_own_local(LLVMValueRef pointer)
{
    while (LLVMIsAGetElementPtrInst(pointer) || LLVMIsABitCastInst(pointer))
        pointer = LLVMGetOperand(pointer, 0);
    return LLVMIsAAllocaInst(pointer) != NULL;
}

static bool is_reader(LLVMValueRef function, int depth);

static bool calls_reader(LLVMValueRef call, int depth)
{
    static const char *const writing[] = { "llvm.mem", "llvm.va_", "llvm.eh.", "llvm.masked", "llvm.init", NULL };
    LLVMValueRef called = amp_called_function(call);
    size_t length;
    const char *name = called ? LLVMGetValueName2(called, &length) : "";

    if (!called)
        return false;
    for (int i = 0; writing[i]; i++)
        if (starts(name, writing[i]))
            return starts(name, "llvm.mem") && is_own_local(LLVMGetOperand(call, 0));
    if (starts(name, "llvm."))
        return true;
    if (LLVMCountBasicBlocks(called) == 0)
        return is_reader_of_library(name);
    return depth > 0 && LLVMGetLinkage(called) == LLVMInternalLinkage && is_reader(called, depth - 1);
}

static bool only_reads(LLVMValueRef at, int depth)
{
    if (LLVMIsALoadInst(at))
        return !LLVMGetVolatile(at) && LLVMGetOrdering(at) == LLVMAtomicOrderingNotAtomic;
    if (LLVMIsAStoreInst(at))
        return !LLVMGetVolatile(at) && is_own_local(LLVMGetOperand(at, 1));
    if (LLVMIsAAtomicRMWInst(at) || LLVMIsAAtomicCmpXchgInst(at) || LLVMIsAFenceInst(at))
        return false;
    return !amp_is_call(at) || calls_reader(at, depth);
}

/* Writes to nothing but its own locals. One that calls itself is taken to write. */
static bool is_reader(LLVMValueRef function, int depth)
{
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at))
            if (!only_reads(at, depth))
                return false;
    return true;
}

/* Whether all that a call does with the pointer is to pass a copy of what it points at. */
static bool is_copied(LLVMValueRef call, LLVMValueRef pointer)
{
    const unsigned byval = LLVMGetEnumAttributeKindForName("byval", 5);

    for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++)
        if (LLVMGetOperand(call, i) == pointer && !LLVMGetCallSiteEnumAttribute(call, i + 1, byval))
            return false;
    return true;
}

bool amp_passed_is_changed(LLVMValueRef pointer)
{
    for (LLVMUseRef use = LLVMGetFirstUse(pointer); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);

        if (LLVMIsALoadInst(user))
            continue;
        if (LLVMIsAGetElementPtrInst(user) || LLVMIsABitCastInst(user)) {
            if (amp_passed_is_changed(user))
                return true;
            continue;
        }
        if (amp_is_call(user) && amp_called_function(user)) {
            const char *name = LLVMGetValueName(amp_called_function(user));

            if (is_copied(user, pointer))
                continue;
            if (starts(name, "llvm.dbg.") || starts(name, "llvm.lifetime.") ||
                (starts(name, "llvm.memcpy") && LLVMGetOperand(user, 0) != pointer))
                continue;
        }
        return true;
    }
    return false;
}

/* How far behind the pointer is read: the largest end in bytes; -1 if that is not known or more happens to it. */
static int64_t read_b(LLVMTargetDataRef layout, LLVMValueRef pointer, int64_t offset)
{
    int64_t most = 0;

    for (LLVMUseRef use = LLVMGetFirstUse(pointer); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use), size = NULL;
        int64_t end = -1;

        if (LLVMIsALoadInst(user)) {
            end = offset + (int64_t) LLVMStoreSizeOfType(layout, LLVMTypeOf(user));
        } else if (LLVMIsABitCastInst(user)) {
            end = read_b(layout, user, offset);
        } else if (LLVMIsAGetElementPtrInst(user)) {
            const int32_t more = amp_address_offset(layout, user);

            end = more == AMP_ANY || more < 0 ? -1 : read_b(layout, user, offset + more);
        } else if (amp_is_call(user) && amp_called_function(user) &&
                   starts(LLVMGetValueName(amp_called_function(user)), "llvm.memcpy") &&
                   LLVMGetOperand(user, 0) != pointer) {
            size = LLVMGetOperand(user, 2);
            end = LLVMIsAConstantInt(size) ? offset + (int64_t) LLVMConstIntGetZExtValue(size) : -1;
        }
        if (end < 0)
            return -1;
        most = end > most ? end : most;
    }
    return most;
}

/* The calls of a function, by the functions that make them. */
static int count_calls(const struct amp_program *program, LLVMValueRef function, json_t *callers)
{
    int calls = 0;
    size_t length;

    for (int f = 0; f < program->functions; f++) {
        int here = 0;

        for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = LLVMGetNextUse(use))
            here += LLVMIsAInstruction(LLVMGetUser(use)) &&
                    LLVMGetBasicBlockParent(LLVMGetInstructionParent(LLVMGetUser(use))) ==
                        program->function[f].function;
        if (here > 0)
            json_array_append_new(callers,
                                  amp_text_json(LLVMGetValueName2(program->function[f].function, &length)));
        calls += here;
    }
    return calls;
}

static void add(const struct amp_program *program, LLVMValueRef function, unsigned i, const char *to, int64_t bytes,
                json_t *list)
{
    json_t *object = json_object(), *callers = json_array();
    size_t length;

    amp_place_set(object, function);
    json_object_set_new(object, "function", amp_text_json(LLVMGetValueName2(function, &length)));
    json_object_set_new(object, "name", amp_text_json(LLVMGetValueName2(LLVMGetParam(function, i), &length)));
    json_object_set_new(object, "to", json_string(to));
    json_object_set_new(object, "bytes", json_integer(bytes));
    json_object_set_new(object, "calls", json_integer(count_calls(program, function, callers)));
    json_object_set_new(object, "callers", callers);
    json_array_append_new(list, object);
}

static LLVMValueRef inner(LLVMValueRef node, unsigned i, unsigned least)
{
    LLVMValueRef operand[64];

    if (!node || LLVMGetMDNodeNumOperands(node) < least || LLVMGetMDNodeNumOperands(node) > 64)
        return NULL;
    LLVMGetMDNodeOperands(node, operand);
    return operand[i];
}

/* Behind names and qualifiers, which have no size of their own. */
static LLVMValueRef sized(LLVMValueRef type)
{
    while (type && LLVMGetMetadataKind(LLVMValueAsMetadata(type)) == LLVMDIDerivedTypeMetadataKind &&
           LLVMDITypeGetSizeInBits(LLVMValueAsMetadata(type)) == 0)
        type = inner(type, 3, 4);
    return type;
}

/* How large the object is that a parameter points at, by the debug information; 0 if that does not say. */
static uint64_t pointed_b(LLVMValueRef function, unsigned i)
{
    LLVMMetadataRef of = LLVMGetSubprogram(function);
    LLVMValueRef node = of ? LLVMMetadataAsValue(LLVMGetModuleContext(LLVMGetGlobalParent(function)), of) : NULL;
    LLVMValueRef types = inner(inner(node, 4, 5), 3, 4), type; /* of the subprogram its type, of that the list */

    if (!types || (unsigned) LLVMGetMDNodeNumOperands(types) != LLVMCountParams(function) + 1)
        return 0;
    type = sized(inner(types, i + 1, i + 2));
    if (!type || LLVMGetMetadataKind(LLVMValueAsMetadata(type)) != LLVMDIDerivedTypeMetadataKind)
        return 0;
    type = sized(inner(type, 3, 4));
    return type ? LLVMDITypeGetSizeInBits(LLVMValueAsMetadata(type)) / 8 : 0;
}

static bool is_taken(const struct amp_program *program, LLVMValueRef function)
{
    for (int t = 0; t < program->world.taken.n; t++)
        if (program->world.taken.at[t] == function)
            return true;
    return false;
}

void amp_passed_find(const struct amp_program *program, const struct amp_function *function, json_t *list)
{
    const unsigned byval = LLVMGetEnumAttributeKindForName("byval", 5);
    const unsigned sret = LLVMGetEnumAttributeKindForName("sret", 4);
    LLVMValueRef of = function->function;

    if (LLVMGetLinkage(of) != LLVMInternalLinkage || is_taken(program, of) ||
        LLVMIsFunctionVarArg(LLVMGlobalGetValueType(of)) || LLVMGetEnumAttributeAtIndex(of, 1, sret) ||
        !is_reader(of, DEPTH_MOST))
        return;
    for (unsigned i = 0; i < LLVMCountParams(of); i++) {
        LLVMValueRef parameter = LLVMGetParam(of, i);
        LLVMAttributeRef attribute = LLVMGetEnumAttributeAtIndex(of, i + 1, byval);
        int64_t bytes;

        if (attribute) {
            bytes = (int64_t) LLVMABISizeOfType(program->layout, LLVMGetTypeAttributeValue(attribute));
            if (!amp_passed_is_changed(parameter))
                add(program, of, i, "pointer", bytes, list);
        } else if (LLVMGetTypeKind(LLVMTypeOf(parameter)) == LLVMPointerTypeKind) {
            bytes = read_b(program->layout, parameter, 0);
            if (bytes > 0 && pointed_b(of, i) >= (uint64_t) bytes && pointed_b(of, i) <= AMP_REGISTERS_B)
                add(program, of, i, "value", bytes, list);
        }
    }
}
