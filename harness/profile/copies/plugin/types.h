/* SPDX-License-Identifier: MIT
 *
 * Which type lies where a pointer points to. */
#ifndef AMP_COPIES_TYPES_H
#define AMP_COPIES_TYPES_H

#include "harness/profile/copies/plugin/learn.h"

/* How much of its type a copy takes. */
enum amp_extent {
    AMP_EXTENT_UNKNOWN, /* the type cannot be told */
    AMP_EXTENT_WHOLE,
    AMP_EXTENT_PART,    /* some members of it */
    AMP_EXTENT_SEVERAL, /* more than one object of it */
};

/* Spell the type of what is copied ("struct order", "Matrix") into `out`; "?" where it cannot be told. */
enum amp_extent amp_types_of_copy(struct amp_types *types, LLVMValueRef to, LLVMValueRef from, uint64_t size_b,
                                  char *out, size_t cap);

/* The type that an argument passed by value has. */
void amp_types_of_argument(struct amp_types *types, LLVMValueRef pointer, LLVMTypeRef type, char *out, size_t cap);

/* Whether memory is the parameter of a function that was inlined. */
bool amp_types_is_parameter(struct amp_types *types, LLVMValueRef memory);

/* The type that an attribute of a function's argument names: "byval", "sret". NULL: it has not got it. */
LLVMTypeRef amp_attribute_type(LLVMValueRef argument, const char *attribute);

#endif
