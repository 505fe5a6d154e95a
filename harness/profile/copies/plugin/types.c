/* SPDX-License-Identifier: MIT
 *
 * source   LLVM, Language Reference: debug intrinsics, byval, sret; Source Level Debugging
 */
#include "harness/profile/copies/plugin/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 12 /* loads, casts and indices between a pointer and a variable */

/* A place in memory: so many bytes into an object of that type. */
struct place {
    LLVMMetadataRef type; /* NULL: unknown */
    uint64_t offset;
};

struct search {
    uint64_t offset, size_b;
    bool for_pointer;   /* of any size */
    bool *has_overlaps; /* set where a union was passed: there are other answers */
};

static LLVMMetadataRef within(const struct amp_module *m, LLVMMetadataRef type, struct search search);

static LLVMMetadataRef within_members(const struct amp_module *m, LLVMMetadataRef type, struct search search)
{
    LLVMMetadataRef *members, list = amp_md_operand(m, type, AMP_MD_MEMBERS), found = NULL;
    uint64_t last = UINT64_MAX, offset = search.offset;
    unsigned n;

    members = amp_md_operands(m, list, &n);
    for (unsigned i = 0; i < n && !found; i++) {
        uint64_t at, size_b;

        if (!amp_type_is_derived(members[i]))
            continue;
        at = LLVMDITypeGetOffsetInBits(members[i]) / 8;
        size_b = amp_type_size_b(members[i]);
        if (at == last && search.has_overlaps)
            *search.has_overlaps = true;
        last = at;
        if (offset < at || offset >= at + size_b)
            continue;
        search.offset = offset - at;
        found = within(m, amp_md_operand(m, members[i], AMP_MD_BASE), search);
    }
    free(members);
    return found;
}

/* The type found so many bytes into `type` that has the size that is searched for. */
static LLVMMetadataRef within(const struct amp_module *m, LLVMMetadataRef type, struct search search)
{
    LLVMMetadataRef bare = amp_type_strip(m, type), element;
    uint64_t size_b;

    if (!bare)
        return NULL;
    if (search.for_pointer && amp_type_is_pointer(m, bare))
        return search.offset == 0 ? bare : NULL;
    if (!amp_type_is_composite(bare))
        return NULL;
    if (!amp_type_is_array(m, bare)) {
        if (!search.for_pointer && search.offset == 0 && amp_type_size_b(bare) == search.size_b)
            return type;
        return within_members(m, bare, search);
    }
    element = amp_md_operand(m, bare, AMP_MD_BASE);
    size_b = amp_type_strip(m, element) ? amp_type_size_b(amp_type_strip(m, element)) : 0;
    if (size_b == 0)
        return NULL;
    search.offset %= size_b;
    return within(m, element, search);
}

/* ---- Where a pointer points to */

LLVMTypeRef amp_attribute_type(LLVMValueRef argument, const char *attribute)
{
    LLVMValueRef function = LLVMGetParamParent(argument);
    LLVMAttributeRef found;
    unsigned i = 0;

    while (LLVMGetParam(function, i) != argument)
        i++;
    found = LLVMGetEnumAttributeAtIndex(function, i + 1,
                                        LLVMGetEnumAttributeKindForName(attribute, strlen(attribute)));
    return found ? LLVMGetTypeAttributeValue(found) : NULL;
}

static struct place points(struct amp_types *types, LLVMValueRef pointer, int depth);

static struct place through_index(struct amp_types *types, LLVMValueRef index, int depth)
{
    LLVMTypeRef type = LLVMGetGEPSourceElementType(index);
    struct place place = points(types, LLVMGetOperand(index, 0), depth + 1);

    if (!place.type)
        place.type = amp_types_named(types, type);
    for (int i = 2; i < LLVMGetNumOperands(index); i++) {
        LLVMValueRef at = LLVMGetOperand(index, (unsigned) i);

        if (LLVMGetTypeKind(type) == LLVMStructTypeKind) {
            unsigned member = (unsigned) LLVMConstIntGetZExtValue(at);

            place.offset += LLVMOffsetOfElement(types->m->layout, type, member);
            type = LLVMStructGetTypeAtIndex(type, member);
            continue;
        }
        type = LLVMGetElementType(type);
        if (LLVMIsAConstantInt(at))
            place.offset += LLVMConstIntGetZExtValue(at) * LLVMABISizeOfType(types->m->layout, type);
    }
    return place;
}

static struct place pointee(const struct amp_types *types, LLVMMetadataRef pointer)
{
    LLVMMetadataRef bare = amp_type_strip(types->m, pointer);

    if (!amp_type_is_pointer(types->m, bare))
        return (struct place){ NULL, 0 };
    return (struct place){ amp_md_operand(types->m, bare, AMP_MD_BASE), 0 };
}

static struct place through_load(struct amp_types *types, LLVMValueRef load, int depth)
{
    struct place from = points(types, LLVMGetOperand(load, 0), depth + 1);

    if (!from.type)
        return from;
    return pointee(types, within(types->m, from.type, (struct search){ .offset = from.offset, .for_pointer = true }));
}

static struct place through_call(const struct amp_types *types, LLVMValueRef call)
{
    LLVMValueRef called = LLVMGetCalledValue(call);
    LLVMMetadataRef subprogram = LLVMIsAFunction(called) ? LLVMGetSubprogram(called) : NULL, type;

    if (!subprogram)
        return (struct place){ NULL, 0 };
    type = amp_md_operand(types->m, subprogram, AMP_MD_SUBPROGRAM_TYPE);
    return pointee(types, amp_md_operand(types->m, amp_md_operand(types->m, type, AMP_MD_BASE), 0));
}

/* One of several pointers that this may be. */
static struct place through_any(struct amp_types *types, LLVMValueRef value, bool is_phi, int depth)
{
    unsigned n = is_phi ? LLVMCountIncoming(value) : 3;

    for (unsigned i = is_phi ? 0 : 1; i < n; i++) {
        LLVMValueRef one = is_phi ? LLVMGetIncomingValue(value, i) : LLVMGetOperand(value, i);
        struct place place = points(types, one, depth + 1);

        if (place.type)
            return place;
    }
    return (struct place){ NULL, 0 };
}

static struct place through_operation(struct amp_types *types, LLVMValueRef value, int depth)
{
    LLVMOpcode operation;

    if (LLVMIsAConstantExpr(value))
        operation = LLVMGetConstOpcode(value);
    else if (LLVMIsAInstruction(value))
        operation = LLVMGetInstructionOpcode(value);
    else
        return (struct place){ NULL, 0 };
    switch (operation) {
    case LLVMGetElementPtr:
        return through_index(types, value, depth);
    case LLVMBitCast:
    case LLVMAddrSpaceCast:
    case LLVMFreeze:
        return points(types, LLVMGetOperand(value, 0), depth + 1);
    case LLVMLoad:
        return through_load(types, value, depth);
    case LLVMPHI:
    case LLVMSelect:
        return through_any(types, value, operation == LLVMPHI, depth);
    case LLVMCall:
        return through_call(types, value);
    default:
        return (struct place){ NULL, 0 };
    }
}

static struct place points(struct amp_types *types, LLVMValueRef pointer, int depth)
{
    LLVMMetadataRef type = amp_map_get(&types->declared, pointer);
    struct place place;
    LLVMTypeRef named;

    if (depth > DEEPEST)
        return (struct place){ NULL, 0 };
    if (type)
        return (struct place){ type, 0 };
    type = amp_map_get(&types->pointers, pointer);
    place = type ? pointee(types, type) : (struct place){ NULL, 0 };
    if (place.type)
        return place;
    if (LLVMIsAArgument(pointer)) {
        named = amp_attribute_type(pointer, "byval");
        named = named ? named : amp_attribute_type(pointer, "sret");
        return (struct place){ named ? amp_types_named(types, named) : NULL, 0 };
    }
    if (LLVMIsAAllocaInst(pointer))
        return (struct place){ amp_types_named(types, LLVMGetAllocatedType(pointer)), 0 };
    if (!LLVMIsAGlobalVariable(pointer))
        return through_operation(types, pointer, depth);
    type = amp_types_global(types, pointer);
    return (struct place){ type ? type : amp_types_named(types, LLVMGlobalGetValueType(pointer)), 0 };
}

/* ---- Names of types */

/* The tag, else the innermost typedef: what a macro calls it may differ from use to use. */
static void spell(const struct amp_module *m, LLVMMetadataRef type, char *out, size_t cap)
{
    const char *alias = NULL, *name;

    for (; type; type = amp_md_operand(m, type, AMP_MD_BASE)) {
        name = amp_md_name(m, type);
        if (amp_type_is_composite(type)) {
            bool is_tag = name && !(alias && strcmp(alias, name) == 0);

            snprintf(out, cap, "%s%s", is_tag ? amp_type_keyword(type) : "", name ? name : alias ? alias : "anonymous");
            return;
        }
        if (name && !amp_type_is_pointer(m, type))
            alias = name;
    }
    snprintf(out, cap, "?");
}

/* The object that a copy is a part of, or that it takes several of. */
static enum amp_extent larger_or_smaller(struct amp_types *types, struct place place, uint64_t size_b, char *out,
                                         size_t cap)
{
    LLVMMetadataRef type = amp_type_strip(types->m, place.type);
    bool is_array = amp_type_is_array(types->m, type);
    uint64_t whole_b;

    while (amp_type_is_array(types->m, type))
        type = amp_type_strip(types->m, amp_md_operand(types->m, type, AMP_MD_BASE));
    whole_b = amp_type_is_composite(type) ? amp_type_size_b(type) : 0;
    if (whole_b == 0 || (place.offset + size_b > whole_b && (place.offset != 0 || size_b % whole_b != 0)))
        return AMP_EXTENT_UNKNOWN;
    spell(types->m, is_array ? type : place.type, out, cap);
    return place.offset + size_b <= whole_b ? AMP_EXTENT_PART : AMP_EXTENT_SEVERAL;
}

enum amp_extent amp_types_of_copy(struct amp_types *types, LLVMValueRef to, LLVMValueRef from, uint64_t size_b,
                                  char *out, size_t cap)
{
    struct place places[] = { points(types, to, 0), points(types, from, 0) };
    enum amp_extent extent;

    for (int with_unions = 0; with_unions < 2; with_unions++) /* of a union's several answers the other side may know */
        for (int i = 0; i < 2; i++) {
            bool overlaps = false;
            struct search search = { places[i].offset, size_b, false, &overlaps };
            LLVMMetadataRef type = places[i].type ? within(types->m, places[i].type, search) : NULL;

            if (!type || (overlaps && !with_unions))
                continue;
            spell(types->m, type, out, cap);
            return AMP_EXTENT_WHOLE;
        }
    for (int i = 0; i < 2; i++) {
        extent = larger_or_smaller(types, places[i], size_b, out, cap);
        if (extent != AMP_EXTENT_UNKNOWN)
            return extent;
    }
    snprintf(out, cap, "?");
    return AMP_EXTENT_UNKNOWN;
}

void amp_types_of_argument(struct amp_types *types, LLVMValueRef pointer, LLVMTypeRef type, char *out, size_t cap)
{
    struct place place = points(types, pointer, 0);
    struct search search = { place.offset, LLVMABISizeOfType(types->m->layout, type), false, NULL };
    LLVMMetadataRef found = place.type ? within(types->m, place.type, search) : NULL;

    if (!found)
        found = amp_types_named(types, type);
    spell(types->m, found, out, cap);
}

bool amp_types_is_parameter(struct amp_types *types, LLVMValueRef memory)
{
    LLVMMetadataRef variable = amp_map_get(&types->variables, memory);
    char *text;
    bool is;

    if (!variable)
        return false;
    text = LLVMPrintValueToString(LLVMMetadataAsValue(types->m->context, variable)); /* the C API has no getter */
    is = strstr(text, ", arg: ") != NULL;
    LLVMDisposeMessage(text);
    return is;
}
