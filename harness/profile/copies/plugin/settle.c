/* SPDX-License-Identifier: MIT
 *
 * What the optimiser made of a copy bears its name still. If it split an object into registers, its members are not
 * copied any more, but computed or passed on: they are no copies. Without this, one program showed 67 % too much.
 *
 * Where it merged two copies of one line, it forgot that line; the function that stands for the copy knows it. */
#include "harness/profile/copies/plugin/moves.h"
#include "harness/profile/copies/plugin/stages.h"

#include <stdlib.h>

#define DEEPEST 8 /* casts between a load and its store */
#define LOADS 64  /* that one store may take from */

struct feeding {
    const struct amp_module *m;
    LLVMValueRef loads[LOADS];
    unsigned n;
};

/* Whether an operation hands on bits, and does not compute. */
static bool hands_on(LLVMOpcode operation)
{
    static const LLVMOpcode all[] = {
        LLVMBitCast, LLVMTrunc, LLVMZExt, LLVMIntToPtr, LLVMPtrToInt, LLVMShuffleVector, LLVMInsertElement,
        LLVMExtractElement, LLVMOr, LLVMShl, LLVMLShr, LLVMAnd, LLVMPHI, LLVMSelect, LLVMFreeze,
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] == operation)
            return true;
    return false;
}

/* Whether a value comes from loads of copies, perhaps of another one, by way of a variable that lies in registers now;
 * they are put into f->loads. */
static bool is_loaded(struct feeding *f, LLVMValueRef value, int depth)
{
    LLVMOpcode operation;
    bool any = false;
    int n;

    if (!LLVMIsAInstruction(value) || depth > DEEPEST)
        return false;
    operation = LLVMGetInstructionOpcode(value);
    if (operation == LLVMLoad) {
        if (!amp_copy_name(f->m, value))
            return false;
        if (f->n < LOADS)
            f->loads[f->n++] = value;
        return true;
    }
    n = hands_on(operation) ? LLVMGetNumOperands(value) : 0;
    for (int i = 0; i < n; i++)
        any |= is_loaded(f, LLVMGetOperand(value, (unsigned) i), depth + 1);
    return any;
}

static void look(const struct amp_module *m, LLVMValueRef instruction, struct amp_map *kept)
{
    struct feeding feeding = { .m = m };

    if (amp_is_move(instruction) || amp_byval_b(m, instruction, 1) > 0) {
        amp_map_set(kept, instruction, instruction);
    } else if (LLVMIsAStoreInst(instruction) && is_loaded(&feeding, LLVMGetOperand(instruction, 0), 0)) {
        amp_map_set(kept, instruction, instruction);
        for (unsigned i = 0; i < feeding.n; i++)
            amp_map_set(kept, feeding.loads[i], instruction);
    }
}

static LLVMMetadataRef with_line(const struct amp_module *m, LLVMMetadataRef place, LLVMMetadataRef outer,
                                 unsigned line)
{
    if (LLVMDILocationGetLine(place) > 0)
        return place;
    return LLVMDIBuilderCreateDebugLocation(m->context, line, 0, LLVMDILocationGetScope(place), outer);
}

static void mend_line(const struct amp_module *m, LLVMValueRef instruction)
{
    LLVMMetadataRef place = LLVMInstructionGetDebugLoc(instruction), outer = LLVMDILocationGetInlinedAt(place);
    unsigned line = LLVMDISubprogramGetLine(LLVMDILocationGetScope(place));

    if (LLVMDILocationGetLine(place) > 0 || line == 0)
        return;
    outer = with_line(m, outer, LLVMDILocationGetInlinedAt(outer), line);
    LLVMInstructionSetDebugLoc(instruction, with_line(m, place, outer, line));
}

static void forget_name(const struct amp_module *m, LLVMValueRef instruction)
{
    LLVMMetadataRef place = LLVMInstructionGetDebugLoc(instruction), outer = LLVMDILocationGetInlinedAt(place);
    unsigned line = LLVMDILocationGetLine(place), column = LLVMDILocationGetColumn(place);

    LLVMInstructionSetDebugLoc(instruction, LLVMDIBuilderCreateDebugLocation(m->context, line, column,
                                                                             LLVMDILocationGetScope(outer),
                                                                             LLVMDILocationGetInlinedAt(outer)));
}

static void each_named(const struct amp_module *m, struct amp_map *kept, bool is_decided)
{
    for (LLVMValueRef f = LLVMGetFirstFunction(m->module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i)) {
                if (!amp_copy_name(m, i))
                    continue;
                if (!is_decided)
                    look(m, i, kept);
                else if (amp_map_get(kept, i))
                    mend_line(m, i);
                else
                    forget_name(m, i);
            }
}

void amp_copies_settle(const struct amp_module *m)
{
    struct amp_map kept = { NULL };

    each_named(m, &kept, false);
    each_named(m, &kept, true);
    amp_map_free(&kept);
}
