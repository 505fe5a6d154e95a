/* SPDX-License-Identifier: MIT
 *
 * Which instructions copy memory to memory. */
#ifndef AMP_COPIES_MOVES_H
#define AMP_COPIES_MOVES_H

#include "harness/profile/copies/plugin/debug.h"

/* memcpy or memmove: to operand 0, from operand 1, so many bytes as operand 2 says. */
bool amp_is_move(LLVMValueRef instruction);

/* The type of an argument that a call passes by value in memory; NULL: it is passed otherwise. */
LLVMTypeRef amp_byval_type(LLVMValueRef call, unsigned argument);

/* What a call passes so, in bytes, arguments below `least_b` left out. */
uint64_t amp_byval_b(const struct amp_module *m, LLVMValueRef call, uint64_t least_b);

/* Whether some call uses a pointer with that attribute: "byval", "sret". */
bool amp_is_used_as(LLVMValueRef pointer, const char *attribute);

#endif
