/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/plugin/debug.h"

#include "harness/profile/copies/preload/sections.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct amp_mapped {
    const void *key;
    void *value;
    UT_hash_handle hh;
};

void *amp_map_get(const struct amp_map *map, const void *key)
{
    struct amp_mapped *found;

    HASH_FIND_PTR(map->first, &key, found);
    return found ? found->value : NULL;
}

void amp_map_set(struct amp_map *map, const void *key, void *value)
{
    struct amp_mapped *found;

    HASH_FIND_PTR(map->first, &key, found);
    if (!found) {
        found = calloc(1, sizeof *found);
        if (!found)
            abort(); /* as clang does without memory */
        found->key = key;
        HASH_ADD_PTR(map->first, key, found);
    }
    found->value = value;
}

void amp_map_free(struct amp_map *map)
{
    struct amp_mapped *one, *next;

    HASH_ITER(hh, map->first, one, next) {
        HASH_DEL(map->first, one);
        free(one);
    }
}

LLVMMetadataRef *amp_md_operands(const struct amp_module *m, LLVMMetadataRef node, unsigned *n)
{
    LLVMValueRef value = node ? LLVMMetadataAsValue(m->context, node) : NULL, *values;
    LLVMMetadataRef *out;

    *n = value ? (unsigned) LLVMGetMDNodeNumOperands(value) : 0;
    values = calloc(*n + 1, sizeof *values);
    out = calloc(*n + 1, sizeof *out);
    if (!values || !out)
        abort();
    if (*n > 0)
        LLVMGetMDNodeOperands(value, values);
    for (unsigned i = 0; i < *n; i++)
        out[i] = values[i] ? LLVMValueAsMetadata(values[i]) : NULL;
    free(values);
    return out;
}

LLVMMetadataRef amp_md_operand(const struct amp_module *m, LLVMMetadataRef node, unsigned i)
{
    unsigned n;
    LLVMMetadataRef *all = amp_md_operands(m, node, &n), found = i < n ? all[i] : NULL;

    free(all);
    return found;
}

const char *amp_md_name(const struct amp_module *m, LLVMMetadataRef node)
{
    LLVMMetadataRef text = amp_md_operand(m, node, AMP_MD_NAME);
    unsigned length;

    return text ? LLVMGetMDString(LLVMMetadataAsValue(m->context, text), &length) : NULL;
}

bool amp_md_is(LLVMMetadataRef node, LLVMMetadataKind kind)
{
    return node && LLVMGetMetadataKind(node) == kind;
}

bool amp_type_is_derived(LLVMMetadataRef type)
{
    return amp_md_is(type, LLVMDIDerivedTypeMetadataKind);
}

bool amp_type_is_composite(LLVMMetadataRef type)
{
    return amp_md_is(type, LLVMDICompositeTypeMetadataKind);
}

/* Of what is made from another type, only a pointer has a size, and neither a name of its own nor a struct it is of. */
bool amp_type_is_pointer(const struct amp_module *m, LLVMMetadataRef type)
{
    return amp_type_is_derived(type) && LLVMDITypeGetSizeInBits(type) == 8 * LLVMPointerSize(m->layout) &&
           !amp_md_name(m, type) && !amp_md_operand(m, type, AMP_MD_SCOPE);
}

bool amp_type_is_array(const struct amp_module *m, LLVMMetadataRef type)
{
    LLVMMetadataRef members = amp_type_is_composite(type) ? amp_md_operand(m, type, AMP_MD_MEMBERS) : NULL;

    return members && amp_md_is(amp_md_operand(m, members, 0), LLVMDISubrangeMetadataKind);
}

uint64_t amp_type_size_b(LLVMMetadataRef type)
{
    return LLVMDITypeGetSizeInBits(type) / 8;
}

LLVMMetadataRef amp_type_strip(const struct amp_module *m, LLVMMetadataRef type)
{
    while (amp_type_is_derived(type) && !amp_type_is_pointer(m, type))
        type = amp_md_operand(m, type, AMP_MD_BASE);
    return type;
}

const char *amp_copy_name(const struct amp_module *m, LLVMValueRef instruction)
{
    LLVMMetadataRef place = LLVMInstructionGetDebugLoc(instruction), scope;
    const char *name;

    if (!place || !LLVMDILocationGetInlinedAt(place))
        return NULL;
    scope = LLVMDILocationGetScope(place);
    name = amp_md_is(scope, LLVMDISubprogramMetadataKind) ? amp_md_name(m, scope) : NULL;
    return name && strncmp(name, AMP_COPIES_NAME, strlen(AMP_COPIES_NAME)) == 0 ? name : NULL;
}
