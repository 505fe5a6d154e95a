/* SPDX-License-Identifier: MIT
 *
 * source   LLVM, Language Reference: DILocation, inlinedAt; llvm.memcpy
 */
#include "harness/profile/copies/plugin/moves.h"
#include "harness/profile/copies/plugin/stages.h"
#include "harness/profile/copies/plugin/types.h"
#include "harness/profile/copies/preload/sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* The function that stands for copies of one name in one line. That line is its own: where the optimiser merges two
 * copies of a line, it keeps what both have in common, and forgets the line. */
struct frame {
    char *key;
    LLVMMetadataRef subprogram;
    UT_hash_handle hh;
};

struct tagging {
    const struct amp_module *m;
    struct amp_types types;
    LLVMDIBuilderRef builder; /* NULL: nothing has been named yet */
    struct frame *frames;
};

static void begin_builder(struct tagging *t)
{
    LLVMValueRef *units = calloc(LLVMGetNamedMetadataNumOperands(t->m->module, "llvm.dbg.cu"), sizeof *units);

    if (!units)
        abort();
    LLVMGetNamedMetadataOperands(t->m->module, "llvm.dbg.cu", units);
    t->builder = amp_copies_builder(t->m->module, LLVMValueAsMetadata(units[0]));
    free(units);
}

static LLVMMetadataRef frame_of(struct tagging *t, LLVMMetadataRef file, unsigned line, const char *name)
{
    LLVMMetadataRef none[] = { NULL }, type;
    struct frame *found;
    char key[512];

    snprintf(key, sizeof key, "%p %u %s", (void *) file, line, name);
    HASH_FIND_STR(t->frames, key, found);
    if (found)
        return found->subprogram;
    if (!t->builder)
        begin_builder(t);
    found = calloc(1, sizeof *found);
    if (!found || !(found->key = strdup(key)))
        abort();
    type = LLVMDIBuilderCreateSubroutineType(t->builder, file, none, 1, LLVMDIFlagZero);
    found->subprogram = LLVMDIBuilderCreateFunction(t->builder, file, name, strlen(name), "", 0, file, line, type, true,
                                                    true, line, LLVMDIFlagArtificial, true);
    HASH_ADD_KEYPTR(hh, t->frames, found->key, strlen(found->key), found);
    return found->subprogram;
}

static void give_name(struct tagging *t, LLVMValueRef instruction, const char *type, uint64_t size_b, const char *kind)
{
    LLVMMetadataRef place = LLVMInstructionGetDebugLoc(instruction), frame, outer;
    unsigned line;
    char name[256];

    if (!place)
        return;
    snprintf(name, sizeof name, AMP_COPIES_NAME "%s, %llu B, %s", type, (unsigned long long) size_b, kind);
    line = LLVMDILocationGetLine(place);
    frame = frame_of(t, LLVMDIScopeGetFile(LLVMDILocationGetScope(place)), line, name);
    outer = LLVMDIBuilderCreateDebugLocation(t->m->context, line, 0, LLVMDILocationGetScope(place),
                                             LLVMDILocationGetInlinedAt(place));
    LLVMInstructionSetDebugLoc(instruction, LLVMDIBuilderCreateDebugLocation(
                                                t->m->context, line, LLVMDILocationGetColumn(place), frame, outer));
}

/* clang keeps the constant that a variable begins with as a global object. */
static bool is_initialiser(LLVMValueRef from)
{
    size_t length;

    return LLVMIsAGlobalVariable(from) && LLVMIsGlobalConstant(from) &&
           strncmp(LLVMGetValueName2(from, &length), "__const.", strlen("__const.")) == 0;
}

/* LLVM 14 has pointers of many types. */
static LLVMValueRef without_casts(LLVMValueRef pointer)
{
    while (LLVMIsABitCastInst(pointer) ||
           (LLVMIsAConstantExpr(pointer) && LLVMGetConstOpcode(pointer) == LLVMBitCast))
        pointer = LLVMGetOperand(pointer, 0);
    return pointer;
}

static const char *kind_of_move(struct tagging *t, LLVMValueRef to, LLVMValueRef from, enum amp_extent extent)
{
    to = without_casts(to);
    from = without_casts(from);
    if (extent == AMP_EXTENT_PART)
        return "part";
    if (extent == AMP_EXTENT_SEVERAL)
        return "several";
    if (is_initialiser(from))
        return "initialiser";
    if ((LLVMIsAAllocaInst(from) && amp_is_used_as(from, "sret")) ||
        (LLVMIsAArgument(to) && amp_attribute_type(to, "sret")))
        return "return";
    if (LLVMIsAAllocaInst(to) && (amp_is_used_as(to, "byval") || amp_types_is_parameter(&t->types, to)))
        return "argument";
    return "assignment";
}

/* The inliner gives some copies of arguments no place: then it is that of the call. */
static void find_place(struct tagging *t, LLVMValueRef move)
{
    LLVMMetadataRef declared = amp_map_get(&t->types.places, without_casts(LLVMGetOperand(move, 0)));
    LLVMMetadataRef call = declared ? LLVMDILocationGetInlinedAt(declared) : NULL;

    if (!call || LLVMInstructionGetDebugLoc(move))
        return;
    LLVMInstructionSetDebugLoc(move, call);
    if (amp_copy_name(t->m, move)) /* of all arguments */
        LLVMInstructionSetDebugLoc(move, LLVMDILocationGetInlinedAt(call));
}

static void name_move(struct tagging *t, LLVMValueRef move)
{
    LLVMValueRef to = LLVMGetOperand(move, 0), from = LLVMGetOperand(move, 1), length = LLVMGetOperand(move, 2);
    uint64_t size_b = LLVMIsAConstantInt(length) ? LLVMConstIntGetZExtValue(length) : 0;
    enum amp_extent extent;
    char type[160];

    if (size_b < t->m->least_b)
        return;
    find_place(t, move);
    extent = amp_types_of_copy(&t->types, to, from, size_b, type, sizeof type);
    give_name(t, move, type, size_b, kind_of_move(t, to, from, extent));
}

/* A call that passes structs by value in memory stores them itself, at its own place. Two of them are called by the
 * first, with a plus. */
static void name_call(struct tagging *t, LLVMValueRef call)
{
    uint64_t sum = amp_byval_b(t->m, call, t->m->least_b);
    unsigned n = sum > 0 ? LLVMGetNumArgOperands(call) : 0, found = 0;
    char type[160] = "?";

    for (unsigned i = 0; i < n; i++) {
        LLVMTypeRef passed = amp_byval_type(call, i);

        if (!passed || LLVMABISizeOfType(t->m->layout, passed) < t->m->least_b)
            continue;
        if (found++ == 0)
            amp_types_of_argument(&t->types, LLVMGetOperand(call, i), passed, type, sizeof type - 1);
        else if (found == 2)
            strcat(type, "+");
    }
    if (found > 0)
        give_name(t, call, type, sum, "argument");
}

static void name_all(struct tagging *t)
{
    for (LLVMValueRef f = LLVMGetFirstFunction(t->m->module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i)) {
                if (amp_copy_name(t->m, i))
                    continue;
                if (amp_is_move(i))
                    name_move(t, i);
                else if (LLVMIsACallInst(i))
                    name_call(t, i);
            }
}

void amp_copies_tag(const struct amp_module *m)
{
    struct tagging t = { .m = m };
    struct frame *frame, *next;

    amp_types_learn(&t.types, m);
    name_all(&t);
    if (t.builder) {
        LLVMDIBuilderFinalize(t.builder);
        LLVMDisposeDIBuilder(t.builder);
    }
    HASH_ITER(hh, t.frames, frame, next) {
        HASH_DEL(t.frames, frame);
        free(frame->key);
        free(frame);
    }
    amp_types_free(&t.types);
}
