/* SPDX-License-Identifier: MIT */
#include "harness/escape/targets/opened.h"

#include <stdio.h>
#include <string.h>

#include <llvm/Config/llvm-config.h>

#include "harness/escape/graph/graph.h"
#include "harness/escape/graph/path.h"

enum { DEPTH_MOST = 12 };

struct amp_field *amp_field_of(struct amp_fields *fields, const struct amp_member *member, bool make)
{
    struct amp_field *found;
    char key[sizeof found->key];
    int room = 0;

    snprintf(key, sizeof key, "%s:%lld", member->name, (long long) member->offset);
    HASH_FIND_STR(fields->known, key, found);
    if (found || !make)
        return found;
    found = amp_escape_grow(NULL, &room, 0, sizeof *found);
    *found = (struct amp_field){ .tos = 0 };
    memcpy(found->key, key, sizeof key);
    HASH_ADD_STR(fields->known, key, found);
    return found;
}

/* The member that an address is one of, by its type; NULL if it is another address. */
static struct amp_field *member_at(struct amp_fields *fields, LLVMValueRef address)
{
    struct amp_member member;
    LLVMTypeRef type;
    bool is_member = false;

    while (LLVMIsABitCastInst(address))
        address = LLVMGetOperand(address, 0);
    address = amp_without_casts(address);
    if (!LLVMIsAGetElementPtrInst(address) &&
        !(LLVMIsAConstantExpr(address) && LLVMGetConstOpcode(address) == LLVMGetElementPtr))
        return NULL;
    type = LLVMGetGEPSourceElementType(address);
    for (unsigned i = 2; i < (unsigned) LLVMGetNumOperands(address); i++) {
        LLVMValueRef index = LLVMGetOperand(address, i);
        const unsigned number = LLVMIsAConstantInt(index) ? (unsigned) LLVMConstIntGetZExtValue(index) : 0;

        is_member = amp_member_of_type(type, &member);
        if (LLVMGetTypeKind(type) == LLVMStructTypeKind) {
            member.offset = (int64_t) LLVMOffsetOfElement(fields->layout, type, number);
            type = LLVMStructGetTypeAtIndex(type, number);
        } else {
            type = LLVMGetElementType(type);
        }
    }
    return is_member ? amp_field_of(fields, &member, true) : NULL;
}

void amp_open_member(struct amp_fields *fields, LLVMValueRef address)
{
    struct amp_field *field = member_at(fields, address);

    if (field)
        field->open = true;
}

/* The type of the object that an address is the start of; NULL if that is not said. */
static LLVMTypeRef pointed_at(LLVMValueRef address)
{
    while (LLVMIsABitCastInst(address))
        address = LLVMGetOperand(address, 0);
    address = amp_without_casts(address);
    if (LLVMIsAAllocaInst(address))
        return LLVMGetAllocatedType(address);
    if (LLVMIsAGlobalVariable(address))
        return LLVMGlobalGetValueType(address);
#if LLVM_VERSION_MAJOR < 15
    if (LLVMGetTypeKind(LLVMTypeOf(address)) == LLVMPointerTypeKind)
        return LLVMGetElementType(LLVMTypeOf(address));
#endif
    return NULL;
}

/* The members of a struct, and of those within it. */
static void open_all(struct amp_fields *fields, LLVMTypeRef type, int depth)
{
    struct amp_member member;
    const LLVMTypeKind kind = LLVMGetTypeKind(type);

    if (kind == LLVMArrayTypeKind && depth > 0)
        open_all(fields, LLVMGetElementType(type), depth - 1);
    for (unsigned i = 0; kind == LLVMStructTypeKind && depth > 0 && i < LLVMCountStructElementTypes(type); i++) {
        if (amp_member_of_type(type, &member)) {
            member.offset = (int64_t) LLVMOffsetOfElement(fields->layout, type, i);
            amp_field_of(fields, &member, true)->open = true;
        }
        open_all(fields, LLVMStructGetTypeAtIndex(type, i), depth - 1);
    }
}

/* The members that lie at an offset of a type: one, and one of each struct within. */
static void open_at(struct amp_fields *fields, LLVMTypeRef type, uint64_t offset)
{
    struct amp_member member;
    unsigned i;

    for (;;) {
        if (LLVMGetTypeKind(type) == LLVMArrayTypeKind && LLVMABISizeOfType(fields->layout, type) > 0) {
            type = LLVMGetElementType(type);
            offset %= LLVMABISizeOfType(fields->layout, type);
        } else if (LLVMGetTypeKind(type) == LLVMStructTypeKind && offset < LLVMABISizeOfType(fields->layout, type)) {
            i = LLVMElementAtOffset(fields->layout, type, offset);
            member.offset = (int64_t) LLVMOffsetOfElement(fields->layout, type, i);
            if (amp_member_of_type(type, &member))
                amp_field_of(fields, &member, true)->open = true;
            offset -= LLVMOffsetOfElement(fields->layout, type, i);
            type = LLVMStructGetTypeAtIndex(type, i);
        } else {
            return;
        }
    }
}

void amp_open_initialised(struct amp_fields *fields, LLVMValueRef constant)
{
    LLVMValueRef base = constant;
    int64_t offset = 0;

#if LLVM_VERSION_MAJOR < 15
    if (LLVMGetTypeKind(LLVMTypeOf(constant)) == LLVMPointerTypeKind &&
        LLVMGetTypeKind(LLVMGetElementType(LLVMTypeOf(constant))) == LLVMStructTypeKind)
        return;
#endif
    while (LLVMIsAConstantExpr(base) && LLVMGetNumOperands(base) > 0) {
        const int32_t more =
            LLVMGetConstOpcode(base) == LLVMGetElementPtr ? amp_address_offset(fields->layout, base) : 0;

        offset = more == AMP_ANY || offset < 0 ? -1 : offset + more;
        base = LLVMGetOperand(base, 0);
    }
    if (base == constant || !LLVMIsAGlobalVariable(base))
        return;
    if (offset < 0)
        open_all(fields, LLVMGlobalGetValueType(base), DEPTH_MOST);
    else
        open_at(fields, LLVMGlobalGetValueType(base), (uint64_t) offset);
}

void amp_open_copied(struct amp_fields *fields, LLVMValueRef call)
{
    LLVMTypeRef to = pointed_at(LLVMGetOperand(call, 0)), from = pointed_at(LLVMGetOperand(call, 1));

    if (to == from || LLVMGetMetadata(call, fields->assigned)) /* of one type, or the assignment of a struct */
        return;
    if (to)
        open_all(fields, to, DEPTH_MOST);
    if (from)
        open_all(fields, from, DEPTH_MOST);
}

bool amp_copies_memory(LLVMValueRef at)
{
    LLVMValueRef called = amp_is_call(at) ? amp_called_function(at) : NULL;
    size_t length;
    const char *name = called ? LLVMGetValueName2(called, &length) : "";

    return strncmp(name, "llvm.memcpy", 11) == 0 || strncmp(name, "llvm.memmove", 12) == 0;
}
