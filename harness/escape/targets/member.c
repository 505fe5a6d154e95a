/* SPDX-License-Identifier: MIT */
#include "harness/escape/targets/member.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "harness/escape/graph/graph.h"

struct amp_variable {
    LLVMValueRef variable;
    bool is_plain;
    UT_hash_handle hh;
};

enum { MEMBERS_MOST = 256, DEPTH_MOST = 12 };

static bool set_name(struct amp_member *member, const char *name, size_t length)
{
    if (length == 0 || length >= AMP_NAME_MOST)
        return false;
    memcpy(member->name, name, length);
    member->name[length] = '\0';
    return true;
}

/* Into the innermost struct: a node is a name, then types and their offsets. */
static bool find_member(LLVMValueRef node, LLVMValueRef wanted, uint64_t offset, struct amp_member *member)
{
    for (int depth = 0; depth < DEPTH_MOST; depth++) {
        const unsigned n = LLVMGetMDNodeNumOperands(node);
        LLVMValueRef part[2 * MEMBERS_MOST + 1], inner = NULL;
        uint64_t at = 0;
        unsigned length;
        const char *name;

        if (n < 3 || n > 2 * MEMBERS_MOST + 1)
            return false;
        LLVMGetMDNodeOperands(node, part);
        for (unsigned i = 1; i + 1 < n; i += 2) {
            if (!LLVMIsAConstantInt(part[i + 1]) || LLVMConstIntGetZExtValue(part[i + 1]) > offset)
                break;
            inner = part[i];
            at = LLVMConstIntGetZExtValue(part[i + 1]);
        }
        if (!inner)
            return false;
        if (inner == wanted) {
            member->offset = (int64_t) offset;
            name = LLVMGetMDString(part[0], &length);
            return at == offset && name && set_name(member, name, length);
        }
        node = inner;
        offset -= at;
    }
    return false;
}

static bool names_member(unsigned tbaa, LLVMValueRef access, struct amp_member *member)
{
    LLVMValueRef tag = LLVMGetMetadata(access, tbaa), part[4];
    const unsigned n = tag ? LLVMGetMDNodeNumOperands(tag) : 0;

    if (n < 3 || n > 4)
        return false;
    LLVMGetMDNodeOperands(tag, part);
    return part[0] != part[1] && LLVMIsAConstantInt(part[2]) &&
           find_member(part[0], part[1], LLVMConstIntGetZExtValue(part[2]), member);
}

bool amp_member_of_type(LLVMTypeRef type, struct amp_member *member)
{
    const char *name = LLVMGetTypeKind(type) == LLVMStructTypeKind ? LLVMGetStructName(type) : NULL;

    if (!name || strncmp(name, "struct.", 7) != 0)
        return false;
    return set_name(member, name + 7, strcspn(name + 7, "."));
}

static bool is_address_step(LLVMValueRef value)
{
    const bool is_expression = LLVMIsAConstantExpr(value) != NULL;
    const LLVMOpcode opcode = is_expression              ? LLVMGetConstOpcode(value)
                              : LLVMIsAInstruction(value) ? LLVMGetInstructionOpcode(value)
                                                          : 0;

    return opcode == LLVMGetElementPtr || opcode == LLVMBitCast;
}

static bool is_pointer(LLVMValueRef value)
{
    return LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMPointerTypeKind;
}

/* Whether pointers are loaded from an address and stored there, and nothing else is done with it. */
static bool is_only_accessed(LLVMValueRef address)
{
    for (LLVMUseRef use = LLVMGetFirstUse(address); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        const bool is_access =
            (LLVMIsALoadInst(user) && is_pointer(user)) ||
            (LLVMIsAStoreInst(user) && LLVMGetOperand(user, 0) != address && is_pointer(LLVMGetOperand(user, 0)));

        if (!is_access && !(is_address_step(user) && is_only_accessed(user)))
            return false;
    }
    return true;
}

/* A variable of the program that holds pointers, or an array of them, and is only used by its name. */
static bool is_plain_variable(struct amp_members *members, LLVMValueRef variable)
{
    struct amp_variable *found;
    LLVMTypeRef type = LLVMGlobalGetValueType(variable);
    int room = 0;

    HASH_FIND_PTR(members->variables, &variable, found);
    if (found)
        return found->is_plain;
    found = amp_escape_grow(NULL, &room, 0, sizeof *found);
    while (LLVMGetTypeKind(type) == LLVMArrayTypeKind)
        type = LLVMGetElementType(type);
    *found = (struct amp_variable){ .variable = variable,
                                .is_plain = LLVMGetTypeKind(type) == LLVMPointerTypeKind &&
                                            LLVMGetInitializer(variable) && !LLVMIsExternallyInitialized(variable) &&
                                            is_only_accessed(variable) };
    HASH_ADD_PTR(members->variables, variable, found);
    return found->is_plain;
}

bool amp_member_of_variable(struct amp_members *members, LLVMValueRef variable, struct amp_member *member)
{
    size_t length;
    const char *name = LLVMGetValueName2(variable, &length);

    member->offset = 0;
    if (length + 1 >= AMP_NAME_MOST || length == 0 || !is_plain_variable(members, variable))
        return false;
    member->name[0] = '@';
    memcpy(member->name + 1, name, length + 1);
    return true;
}

bool amp_member_named(struct amp_members *members, LLVMValueRef access, struct amp_member *member)
{
    LLVMValueRef base = LLVMGetOperand(access, LLVMIsAStoreInst(access) ? 1 : 0);

    while (is_address_step(base))
        base = LLVMGetOperand(base, 0);
    if (LLVMIsAGlobalVariable(base) && amp_member_of_variable(members, base, member))
        return true;
    return names_member(members->tbaa, access, member);
}

void amp_members_end(struct amp_members *members)
{
    struct amp_variable *variable, *next;

    HASH_ITER(hh, members->variables, variable, next)
    {
        HASH_DEL(members->variables, variable);
        free(variable);
    }
}

int32_t amp_address_offset(LLVMTargetDataRef layout, LLVMValueRef address)
{
    LLVMTypeRef type = LLVMGetGEPSourceElementType(address);
    const unsigned n = (unsigned) LLVMGetNumOperands(address);
    int64_t offset = 0;

    if (LLVMGetTypeKind(LLVMTypeOf(address)) != LLVMPointerTypeKind)
        return AMP_ANY;
    for (unsigned i = 1; i < n; i++) {
        LLVMValueRef index = LLVMGetOperand(address, i);
        const int64_t number = LLVMIsAConstantInt(index) ? LLVMConstIntGetSExtValue(index) : INT64_MAX;

        if (number > INT32_MAX || number < INT32_MIN)
            return AMP_ANY;
        if (i > 1 && LLVMGetTypeKind(type) == LLVMStructTypeKind) {
            offset += (int64_t) LLVMOffsetOfElement(layout, type, (unsigned) number);
            type = LLVMStructGetTypeAtIndex(type, (unsigned) number);
            continue;
        }
        if (i > 1)
            type = LLVMGetElementType(type);
        if (!LLVMTypeIsSized(type))
            return AMP_ANY;
        offset += number * (int64_t) LLVMABISizeOfType(layout, type);
    }
    return amp_offset_add(0, offset);
}
