/* SPDX-License-Identifier: MIT
 *
 * All types and variables that the debug information of a module names. */
#ifndef AMP_COPIES_LEARN_H
#define AMP_COPIES_LEARN_H

#include "harness/profile/copies/plugin/debug.h"

struct amp_types {
    const struct amp_module *m;
    struct amp_map declared;  /* memory -> the type of the variable that it is */
    struct amp_map pointers;  /* a value -> the type of the variable that it is */
    struct amp_map variables; /* memory -> its variable, once functions have been inlined */
    struct amp_map places;    /* memory -> where that variable is declared */
    struct amp_map seen;      /* types that have been looked through */
    struct amp_named *named;  /* by name and size */
};

/* The caller frees with amp_types_free(). */
void amp_types_learn(struct amp_types *types, const struct amp_module *m);
void amp_types_free(struct amp_types *types);

/* The type of a global variable; NULL: unknown. */
LLVMMetadataRef amp_types_global(const struct amp_types *types, LLVMValueRef global);

/* The type that one of LLVM's is, "struct.order" or "struct.order.3", or that an array is made of; NULL: unknown. */
LLVMMetadataRef amp_types_named(const struct amp_types *types, LLVMTypeRef type);

#endif
