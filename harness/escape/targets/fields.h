/* SPDX-License-Identifier: MIT
 *
 * Which functions the members of structs, and variables, may point at, over a whole program.
 *
 *   static const struct ops disk = { disk_read, disk_write };     ops.read   { disk_read }
 *   file->ops->read(file);                                        reaches disk_read only
 *
 * A member is a struct's name and an offset in it, as the compiler's notes for strict aliasing say it ("tbaa"), for all
 * objects of that type at once. It holds what initialisers and stores put there by its name, and what other members
 * gave it. Functions that are used in another way may be anywhere: the member holds them, too, if a value is stored in
 * it that is not followed, such as an argument. If the address of the member is taken, or the struct is copied to
 * another type, the member says nothing, and what it holds may be anywhere. A variable that is only used by its name is
 * as a member of no struct; so is an array of pointers. */
#ifndef AMP_ESCAPE_FIELDS_H
#define AMP_ESCAPE_FIELDS_H

#include "harness/escape/targets/targets.h"

struct amp_fields;
struct amp_field;

/* Of a module as the compiler wrote it: optimisations hide which member a value comes from. Free it with
 * amp_fields_free(). */
struct amp_fields *amp_fields_find(LLVMModuleRef module);
void amp_fields_free(struct amp_fields *fields);

/* The member that a called value is loaded from; NULL if it is another value, or the member says nothing. */
const struct amp_field *amp_fields_of(struct amp_fields *fields, LLVMValueRef called);
bool amp_field_may_hold(const struct amp_fields *fields, const struct amp_field *field, LLVMValueRef function);

#endif
