/* SPDX-License-Identifier: MIT
 *
 * How many bytes an allocation has, in terms of its function's arguments. */
#ifndef AMP_ESCAPE_SIZE_H
#define AMP_ESCAPE_SIZE_H

#include "harness/escape/graph/summary.h"

/* A value as a size. Numbers count as wide ones: where a narrow one would wrap, this one is large. */
struct amp_size amp_size_of(LLVMValueRef value);

/* a OPERATOR b; not known if one is not, or if it gets too long. Of two numbers it is a number. */
struct amp_size amp_size_join(struct amp_size a, struct amp_size b, char operator);

bool amp_size_is_same(const struct amp_size *a, const struct amp_size *b);

/* True if it is a number. */
bool amp_size_is_number(const struct amp_size *size, uint64_t *bytes);

/* Of what a call makes: the arguments of the called function's size become what the call passes for them. */
struct amp_size amp_size_at_call(const struct amp_size *size, LLVMValueRef call);

/* How large that can be; 0 if nothing bounds what the call passes. */
uint64_t amp_size_most_at_call(const struct amp_size *size, LLVMValueRef call);

#endif
