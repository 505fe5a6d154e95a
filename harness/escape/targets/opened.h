/* SPDX-License-Identifier: MIT
 *
 * The table of members, and which of them may be read and written in ways that are not seen: those whose address is
 * kept, and those of structs whose bytes are copied to another type. */
#ifndef AMP_ESCAPE_OPENED_H
#define AMP_ESCAPE_OPENED_H

#include <uthash.h>

#include "harness/escape/targets/member.h"
#include "harness/escape/targets/targets.h"

struct amp_field {
    char key[AMP_NAME_MOST + 24];
    struct amp_targets holds;
    struct amp_field **to; /* members that are given what this one holds */
    int tos, room;
    bool loaded; /* by its name, somewhere */
    bool leaves; /* what it holds may be anywhere */
    bool any;    /* may hold what may be anywhere */
    bool open;   /* may be written in ways that are not seen */
    UT_hash_handle hh;
};

struct amp_fields {
    LLVMTargetDataRef layout;
    struct amp_members members;
    unsigned assigned; /* the kind of metadata that the assignment of a struct bears */
    struct amp_field *known;     /* hash */
    struct amp_targets anywhere; /* in variables, arrays, arguments: any value may be one of these */
};

/* The entry of a member; if it has none, `make` makes one, else NULL. */
struct amp_field *amp_field_of(struct amp_fields *fields, const struct amp_member *member, bool make);

/* An address that is kept or handed on: if it is one of a member, by its type, that is open. */
void amp_open_member(struct amp_fields *fields, LLVMValueRef address);

/* An initialiser that is an address within a variable opens the member there, but where its type says: a struct. */
void amp_open_initialised(struct amp_fields *fields, LLVMValueRef constant);

/* A call that copies memory, and the members that a copy to another type opens. */
bool amp_copies_memory(LLVMValueRef at);
void amp_open_copied(struct amp_fields *fields, LLVMValueRef call);

#endif
