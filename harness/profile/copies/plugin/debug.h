/* SPDX-License-Identifier: MIT
 *
 * The module that is being compiled, and its debug information. LLVM's C API has no way to ask for a variable's type,
 * or a type's members; they are read as operands of the metadata, whose numbers are the same in LLVM 14 to 19.
 * Pointers here are LLVM's, and live as long as the module. */
#ifndef AMP_COPIES_DEBUG_H
#define AMP_COPIES_DEBUG_H

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/Target.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Operands of metadata, by kind of node. */
enum {
    AMP_MD_SCOPE = 1,            /* of a member: its struct */
    AMP_MD_NAME = 2,             /* of a type, a subprogram */
    AMP_MD_BASE = 3,             /* of a type: what it is made from; of a subroutine type: its types */
    AMP_MD_MEMBERS = 4,          /* of a composite type; of an array its ranges */
    AMP_MD_SUBPROGRAM_TYPE = 4,
    AMP_MD_VARIABLE_TYPE = 3,
    AMP_MD_UNIT_RETAINED = 5,
};

/* From a pointer to a pointer. All 0 at first. */
struct amp_map {
    struct amp_mapped *first;
};
void *amp_map_get(const struct amp_map *map, const void *key); /* NULL: not there */
void amp_map_set(struct amp_map *map, const void *key, void *value); /* value: not NULL */
void amp_map_free(struct amp_map *map);

/* A compilation, while one stage of the plugin looks at it. */
struct amp_module {
    LLVMModuleRef module;
    LLVMContextRef context;
    LLVMTargetDataRef layout;
    uint64_t least_b; /* copies of fewer bytes go through registers, and are no one's concern */
    bool is_late;     /* the optimiser has been there */
};

/* The operands of a node; the caller frees them. NULL where there are none. An absent operand is NULL. */
LLVMMetadataRef *amp_md_operands(const struct amp_module *m, LLVMMetadataRef node, unsigned *n);
LLVMMetadataRef amp_md_operand(const struct amp_module *m, LLVMMetadataRef node, unsigned i);

/* The text of an operand; NULL: none. It ends with 0. */
const char *amp_md_name(const struct amp_module *m, LLVMMetadataRef node);
bool amp_md_is(LLVMMetadataRef node, LLVMMetadataKind kind);

/* Kinds of types. */
bool amp_type_is_derived(LLVMMetadataRef type);
bool amp_type_is_composite(LLVMMetadataRef type); /* struct, union, array, enumeration */
const char *amp_type_keyword(LLVMMetadataRef composite); /* "struct ", "union ", "class "; hook.cc */
bool amp_type_is_pointer(const struct amp_module *m, LLVMMetadataRef type);
bool amp_type_is_array(const struct amp_module *m, LLVMMetadataRef type);
uint64_t amp_type_size_b(LLVMMetadataRef type);

/* What a typedef, a const or a member is made from; NULL: void. */
LLVMMetadataRef amp_type_strip(const struct amp_module *m, LLVMMetadataRef type);

/* The name of the copy that an instruction belongs to; NULL: to none. */
const char *amp_copy_name(const struct amp_module *m, LLVMValueRef instruction);

#endif
