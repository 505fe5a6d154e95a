/* SPDX-License-Identifier: MIT */
#include "harness/escape/targets/fields.h"

#include <stdlib.h>
#include <string.h>

#include <llvm/Config/llvm-config.h>

#include "harness/escape/graph/graph.h"
#include "harness/escape/graph/path.h"
#include "harness/escape/targets/opened.h"

enum { LOCALS_MOST = 4 };

static void put(struct amp_fields *fields, const struct amp_member *member, LLVMValueRef function)
{
    struct amp_field *field = member ? amp_field_of(fields, member, false) : NULL;

    amp_targets_add(field && field->loaded ? &field->holds : &fields->anywhere, function);
}

/* The functions of an initialiser; `member` is where it stands, NULL if that has no name. Of a variable, all is one. */
static void read_constant(struct amp_fields *fields, LLVMValueRef constant, const struct amp_member *member)
{
    const struct amp_member *of_all;
    LLVMTypeRef type;
    struct amp_member inner;

    amp_open_initialised(fields, constant);
    constant = amp_without_casts(constant);
    if (LLVMIsAFunction(constant))
        put(fields, member, constant);
    if (LLVMIsAGlobalValue(constant))
        return;
    type = LLVMTypeOf(constant);
    of_all = member && member->name[0] == '@' ? member : NULL;
    for (int i = 0; i < LLVMGetNumOperands(constant); i++) {
        const bool is_named = LLVMIsAConstantStruct(constant) && amp_member_of_type(type, &inner);

        if (is_named)
            inner.offset = (int64_t) LLVMOffsetOfElement(fields->layout, type, (unsigned) i);
        read_constant(fields, LLVMGetOperand(constant, (unsigned) i), is_named ? &inner : of_all);
    }
}

static void read_variable(struct amp_fields *fields, LLVMValueRef variable)
{
    struct amp_member member;
    const bool is_plain = amp_member_of_variable(&fields->members, variable, &member);

    read_constant(fields, LLVMGetInitializer(variable), is_plain ? &member : NULL);
}

static bool is_callee_only(LLVMValueRef call, LLVMValueRef value)
{
    for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++)
        if (LLVMGetOperand(call, i) == value)
            return false;
    return LLVMGetCalledValue(call) == value;
}

/* A function's own uses: a store to a member by its name, or anything else. read_constant() reads initialisers. */
static void read_uses(struct amp_fields *fields, LLVMValueRef function, LLVMValueRef value)
{
    for (LLVMUseRef use = LLVMGetFirstUse(value); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        struct amp_member member;

        if (!LLVMIsAInstruction(user)) {
            if (LLVMIsAConstantExpr(user) && LLVMGetConstOpcode(user) != LLVMBitCast)
                amp_targets_add(&fields->anywhere, function);
            else if (LLVMIsAConstant(user) && !LLVMIsAGlobalVariable(user))
                read_uses(fields, function, user);
            else if (!LLVMIsAGlobalVariable(user))
                amp_targets_add(&fields->anywhere, function);
        } else if (LLVMIsAStoreInst(user) && LLVMGetOperand(user, 0) == value) {
            put(fields, amp_member_named(&fields->members, user, &member) ? &member : NULL, function);
        } else if (!LLVMIsAICmpInst(user) && !(amp_is_call(user) && is_callee_only(user, value))) {
            amp_targets_add(&fields->anywhere, function);
        }
    }
}

static bool is_lifetime(LLVMValueRef at)
{
    LLVMValueRef called = amp_is_call(at) ? amp_called_function(at) : NULL;
    size_t length;

    return called && strncmp(LLVMGetValueName2(called, &length), "llvm.lifetime.", 14) == 0;
}

/* A local that is only stored to and loaded from, by its name. */
static bool is_plain_local(LLVMValueRef value)
{
    if (!LLVMIsAAllocaInst(value) && !LLVMIsABitCastInst(value))
        return false;
    for (LLVMUseRef use = LLVMGetFirstUse(value); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        const bool is_access =
            LLVMIsAAllocaInst(value) &&
            (LLVMIsALoadInst(user) || (LLVMIsAStoreInst(user) && LLVMGetOperand(user, 0) != value));

        if (!is_access && !is_lifetime(user) && !(LLVMIsABitCastInst(user) && is_plain_local(user)))
            return false;
    }
    return true;
}

static void read_load(struct amp_fields *fields, struct amp_field *field, LLVMValueRef value, int depth);

/* The value is stored: into another member, a local that gives it on, or somewhere. */
static void read_store(struct amp_fields *fields, struct amp_field *field, LLVMValueRef store, int depth)
{
    LLVMValueRef local = LLVMGetOperand(store, 1);
    struct amp_member member;

    if (amp_member_named(&fields->members, store, &member)) {
        field->to = amp_escape_grow(field->to, &field->room, field->tos, sizeof *field->to);
        field->to[field->tos++] = amp_field_of(fields, &member, true);
    } else if (depth > 0 && LLVMIsAAllocaInst(local) && is_plain_local(local)) {
        for (LLVMUseRef use = LLVMGetFirstUse(local); use; use = LLVMGetNextUse(use))
            if (LLVMIsALoadInst(LLVMGetUser(use)))
                read_load(fields, field, LLVMGetUser(use), depth - 1);
    } else {
        field->leaves = true;
    }
}

/* What becomes of a value that was loaded from a member: it is called, compared, stored, or may be anywhere. */
static void read_load(struct amp_fields *fields, struct amp_field *field, LLVMValueRef value, int depth)
{
    for (LLVMUseRef use = LLVMGetFirstUse(value); use && !field->leaves; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);

        if (LLVMIsABitCastInst(user))
            read_load(fields, field, user, depth);
        else if (LLVMIsAStoreInst(user) && LLVMGetOperand(user, 0) == value)
            read_store(fields, field, user, depth);
        else if (!LLVMIsAICmpInst(user) && !(amp_is_call(user) && is_callee_only(user, value)))
            field->leaves = true;
    }
}

/* Whether a value that is stored in a member is counted among what that holds, by put() or by read_load(). */
static bool is_counted(struct amp_fields *fields, LLVMValueRef value, int depth)
{
    struct amp_member member;
    LLVMValueRef from;

    while (LLVMIsABitCastInst(value))
        value = LLVMGetOperand(value, 0);
    value = amp_without_casts(value);
    if (LLVMIsNull(value) || (LLVMIsAFunction(value) && depth == LOCALS_MOST))
        return true;
    if (!LLVMIsALoadInst(value))
        return false;
    from = LLVMGetOperand(value, 0);
    if (amp_member_named(&fields->members, value, &member))
        return true;
    if (depth == 0 || !LLVMIsAAllocaInst(from) || !is_plain_local(from))
        return false;
    for (LLVMUseRef use = LLVMGetFirstUse(from); use; use = LLVMGetNextUse(use))
        if (LLVMIsAStoreInst(LLVMGetUser(use)) && !is_counted(fields, LLVMGetOperand(LLVMGetUser(use), 0), depth - 1))
            return false;
    return true;
}

static void read_load_or_store(struct amp_fields *fields, LLVMValueRef at, bool is_load)
{
    LLVMValueRef value = is_load ? at : LLVMGetOperand(at, 0);
    struct amp_field *field;
    struct amp_member member;

    if (!amp_member_named(&fields->members, at, &member)) { /* as through a union: other types may lie there */
        amp_open_member(fields, LLVMGetOperand(at, is_load ? 0 : 1));
    } else if (LLVMGetTypeKind(LLVMTypeOf(value)) != LLVMPointerTypeKind) {
        return;
    } else if (is_load) {
        field = amp_field_of(fields, &member, true);
        field->loaded = true;
        read_load(fields, field, at, LOCALS_MOST);
    } else if (!is_counted(fields, value, LOCALS_MOST)) {
        amp_field_of(fields, &member, true)->any = true;
    }
}

static void read_instruction(struct amp_fields *fields, LLVMValueRef at)
{
    const bool is_store = LLVMIsAStoreInst(at) != NULL;

    if (LLVMIsALoadInst(at) || is_store)
        read_load_or_store(fields, at, !is_store);
    if (amp_copies_memory(at))
        amp_open_copied(fields, at);
    if (LLVMIsALoadInst(at) || LLVMIsAGetElementPtrInst(at) || LLVMIsABitCastInst(at) || LLVMIsAICmpInst(at) ||
        is_lifetime(at))
        return;
    for (int i = 0; i < LLVMGetNumOperands(at); i++)
        if (!(is_store && i == 1))
            amp_open_member(fields, LLVMGetOperand(at, (unsigned) i));
}

/* Newer versions of LLVM do not tell the first member's address from the struct's. */
static bool is_hidden(const struct amp_field *field)
{
    const char *colon = strrchr(field->key, ':');

    return LLVM_VERSION_MAJOR >= 15 && field->key[0] != '@' && strcmp(colon, ":0") == 0;
}

static bool give(struct amp_targets *to, const struct amp_targets *from)
{
    bool changed = false;

    for (int t = 0; t < from->n; t++)
        changed |= amp_targets_add(to, from->at[t]);
    return changed;
}

static bool give_member(struct amp_fields *fields, const struct amp_field *from, struct amp_field *to)
{
    const bool any = from->any || from->open;
    bool changed = give(to->loaded ? &to->holds : &fields->anywhere, &from->holds);

    changed |= any && !to->any;
    to->any = to->any || any;
    return changed;
}

static void settle(struct amp_fields *fields)
{
    bool changed = true;

    for (struct amp_field *field = fields->known; field; field = field->hh.next)
        field->open = field->open || is_hidden(field);
    while (changed) {
        changed = false;
        for (struct amp_field *field = fields->known; field; field = field->hh.next) {
            for (int t = 0; t < field->tos; t++)
                changed |= give_member(fields, field, field->to[t]);
            if (field->leaves || field->open)
                changed |= give(&fields->anywhere, &field->holds);
        }
    }
}

struct amp_fields *amp_fields_find(LLVMModuleRef module)
{
    int room = 0;
    struct amp_fields *fields = amp_escape_grow(NULL, &room, 0, sizeof *fields);

    *fields = (struct amp_fields){ .layout = LLVMGetModuleDataLayout(module),
                                   .members = { .tbaa = LLVMGetMDKindIDInContext(LLVMGetModuleContext(module), "tbaa",
                                                                                 4) },
                                   .assigned = LLVMGetMDKindIDInContext(LLVMGetModuleContext(module), "tbaa.struct",
                                                                        11) };
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at))
                read_instruction(fields, at);
    for (LLVMValueRef g = LLVMGetFirstGlobal(module); g; g = LLVMGetNextGlobal(g))
        if (LLVMGetInitializer(g))
            read_variable(fields, g);
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        read_uses(fields, f, f);
    settle(fields);
    return fields;
}

void amp_fields_free(struct amp_fields *fields)
{
    struct amp_field *field, *next;

    if (!fields)
        return;
    amp_members_end(&fields->members);
    HASH_ITER(hh, fields->known, field, next)
    {
        HASH_DEL(fields->known, field);
        free(field->holds.at);
        free(field->to);
        free(field);
    }
    free(fields->anywhere.at);
    free(fields);
}

const struct amp_field *amp_fields_of(struct amp_fields *fields, LLVMValueRef called)
{
    struct amp_member member;
    struct amp_field *field;

    while (LLVMIsABitCastInst(called))
        called = LLVMGetOperand(called, 0);
    if (!fields || !LLVMIsALoadInst(called) || !amp_member_named(&fields->members, called, &member))
        return NULL;
    field = amp_field_of(fields, &member, false);
    return field && !field->open ? field : NULL;
}

bool amp_field_may_hold(const struct amp_fields *fields, const struct amp_field *field, LLVMValueRef function)
{
    for (int t = 0; t < field->holds.n; t++)
        if (field->holds.at[t] == function)
            return true;
    for (int t = 0; field->any && t < fields->anywhere.n; t++)
        if (fields->anywhere.at[t] == function)
            return true;
    return false;
}
