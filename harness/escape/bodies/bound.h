/* SPDX-License-Identifier: MIT */
#ifndef AMP_ESCAPE_BOUND_H
#define AMP_ESCAPE_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include <llvm-c/Core.h>

/* Whether a number, not negative, is never above *most where the instruction `at` uses it: by its type, by how it is
 * computed, or since only ways lead there on which a comparison with a constant said so. */
bool amp_bound_find(LLVMValueRef value, LLVMValueRef at, uint64_t *most);

#endif
