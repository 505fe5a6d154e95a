/* SPDX-License-Identifier: MIT
 *
 * A member of a struct, by the struct's name and an offset in it; or a variable as a member of no struct. */
#ifndef AMP_ESCAPE_MEMBER_H
#define AMP_ESCAPE_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <llvm-c/Target.h>

enum { AMP_NAME_MOST = 120 };

struct amp_member {
    char name[AMP_NAME_MOST]; /* "ops"; of a variable "@hook" */
    int64_t offset;           /* in bytes */
};

struct amp_variable;

struct amp_members {
    unsigned tbaa;                  /* the number of that kind of metadata */
    struct amp_variable *variables; /* hash: what was found of each */
};

void amp_members_end(struct amp_members *members);

/* What a load or a store accesses by its name: a member of the innermost struct, or a variable. False: it names none,
 * as *p or a union's. */
bool amp_member_named(struct amp_members *members, LLVMValueRef access, struct amp_member *member);

/* Set the name that C gives a struct: of "struct.ops", or of "struct.ops.12" if another file has one of that name, too.
 * False: it has none. */
bool amp_member_of_type(LLVMTypeRef type, struct amp_member *member);

/* False: the variable holds more than a pointer, or an array of them, or is used in other ways than by its name. */
bool amp_member_of_variable(struct amp_members *members, LLVMValueRef variable, struct amp_member *member);

/* How many bytes an address (a GEP) lies behind what it starts from; AMP_ANY if that is no constant. */
int32_t amp_address_offset(LLVMTargetDataRef layout, LLVMValueRef address);

#endif
