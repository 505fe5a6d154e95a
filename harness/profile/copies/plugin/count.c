/* SPDX-License-Identifier: MIT
 *
 * Counters in the program: one for each basic block that copies. What a block copies is known here, so the bytes follow
 * from how often it ran. A copy whose length is computed has counters of its own. */
#include "harness/profile/copies/plugin/moves.h"
#include "harness/profile/copies/plugin/stages.h"
#include "harness/profile/copies/plugin/table.h"
#include "harness/profile/copies/preload/sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_COUNTERS (AMP_COPIES_PAGE_B / sizeof(uint64_t))

struct counter {
    LLVMValueRef before; /* the instruction that it stands in front of */
    LLVMValueRef amount; /* what is added; NULL: 1 */
    LLVMMetadataRef place;
};

struct counting {
    const struct amp_module *m;
    struct amp_table table;
    struct counter *counters;
    unsigned n;
};

static unsigned add_counter(struct counting *c, LLVMValueRef before, LLVMValueRef amount)
{
    c->counters = realloc(c->counters, (c->n + 1) * sizeof *c->counters);
    if (!c->counters)
        abort();
    c->counters[c->n] = (struct counter){ before, amount,
                                          LLVMDILocationGetInlinedAt(LLVMInstructionGetDebugLoc(before)) };
    return c->n++;
}

/* What one instruction of a copy moves. False: nothing; a load, whose store counts. */
static bool measure(const struct amp_module *m, LLVMValueRef i, struct amp_copies_site *out, LLVMValueRef *length)
{
    *length = NULL;
    out->bytes = amp_byval_b(m, i, 1);
    out->copies = out->bytes > 0;
    if (amp_is_move(i)) {
        LLVMValueRef n = LLVMGetOperand(i, 2);

        out->copies = 1;
        if (LLVMIsAConstantInt(n))
            out->bytes = LLVMConstIntGetZExtValue(n);
        else
            *length = n;
    } else if (LLVMIsAStoreInst(i)) {
        out->bytes = LLVMStoreSizeOfType(m->layout, LLVMTypeOf(LLVMGetOperand(i, 0)));
    }
    return out->bytes > 0 || *length;
}

static void count_block(struct counting *c, LLVMBasicBlockRef block, bool is_source)
{
    size_t first = c->table.n;
    unsigned counter = UINT32_MAX;

    for (LLVMValueRef i = LLVMGetFirstInstruction(block); i; i = LLVMGetNextInstruction(i)) {
        struct amp_copies_site site = { .is_source = is_source };
        LLVMValueRef length;

        if (!amp_copy_name(c->m, i) || !measure(c->m, i, &site, &length))
            continue;
        if (length) {
            site.counter = add_counter(c, i, NULL);
            add_counter(c, i, length);
        } else {
            if (counter == UINT32_MAX)
                counter = add_counter(c, i, NULL);
            site.counter = counter;
        }
        amp_table_add(&c->table, c->m, first, LLVMInstructionGetDebugLoc(i), &site);
    }
}

static LLVMTypeRef number_type(const struct counting *c)
{
    return LLVMInt64TypeInContext(c->m->context);
}

/* The counters of this file, in pages of their own. */
static LLVMValueRef make_counts(const struct counting *c)
{
    unsigned n = (unsigned) ((c->n + PAGE_COUNTERS - 1) / PAGE_COUNTERS * PAGE_COUNTERS);
    LLVMTypeRef type = LLVMArrayType(number_type(c), n);
    LLVMValueRef counts = LLVMAddGlobal(c->m->module, type, "amp.copies.counts");

    LLVMSetInitializer(counts, LLVMConstNull(type));
    LLVMSetLinkage(counts, LLVMInternalLinkage);
    LLVMSetSection(counts, AMP_COPIES_COUNTS);
    LLVMSetAlignment(counts, AMP_COPIES_PAGE_B);
    return counts;
}

static void insert(const struct counting *c, LLVMValueRef counts)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(c->m->context);
    LLVMTypeRef i64 = number_type(c);

    for (unsigned k = 0; k < c->n; k++) {
        LLVMValueRef at[] = { LLVMConstInt(i64, 0, false), LLVMConstInt(i64, k, false) };
        LLVMValueRef amount = c->counters[k].amount;
        LLVMValueRef counter = LLVMConstInBoundsGEP2(LLVMGlobalGetValueType(counts), counts, at, 2), sum;

        LLVMPositionBuilderBefore(builder, c->counters[k].before);
        LLVMSetCurrentDebugLocation2(builder, c->counters[k].place);
        amount = amount ? LLVMBuildZExtOrBitCast(builder, amount, i64, "") : LLVMConstInt(i64, 1, false);
        sum = LLVMBuildAdd(builder, LLVMBuildLoad2(builder, i64, counter, ""), amount, "");
        LLVMBuildStore(builder, sum, counter);
    }
    LLVMDisposeBuilder(builder);
}

/* Keep a global object although nothing refers to it. */
static void keep(const struct amp_module *m, LLVMValueRef global)
{
    LLVMTypeRef pointer = LLVMPointerType(LLVMInt8TypeInContext(m->context), 0);
    LLVMValueRef used = LLVMGetNamedGlobal(m->module, "llvm.used");
    LLVMValueRef before = used ? LLVMGetInitializer(used) : NULL;
    unsigned n = before ? (unsigned) LLVMGetNumOperands(before) : 0;
    LLVMValueRef *all = calloc(n + 1, sizeof *all);

    if (!all)
        abort();
    for (unsigned i = 0; i < n; i++)
        all[i] = LLVMGetOperand(before, i);
    all[n] = LLVMConstBitCast(global, pointer);
    if (used)
        LLVMDeleteGlobal(used);
    used = LLVMAddGlobal(m->module, LLVMArrayType(pointer, n + 1), "llvm.used");
    LLVMSetInitializer(used, LLVMConstArray(pointer, all, n + 1));
    LLVMSetLinkage(used, LLVMAppendingLinkage);
    LLVMSetSection(used, "llvm.metadata");
    free(all);
}

/* The block of tables: the distance to the counters, which the linker computes, then bytes. */
static void make_tables(const struct counting *c, LLVMValueRef counts)
{
    LLVMTypeRef i64 = number_type(c), parts[2];
    LLVMValueRef tables, values[2];
    size_t size_b;
    char *bytes = amp_table_bytes(&c->table, &size_b);

    values[1] = LLVMConstStringInContext(c->m->context, bytes + sizeof(int64_t),
                                         (unsigned) (size_b - sizeof(int64_t)), true);
    parts[0] = i64;
    parts[1] = LLVMTypeOf(values[1]);
    tables = LLVMAddGlobal(c->m->module, LLVMStructTypeInContext(c->m->context, parts, 2, true), "amp.copies.sites");
    values[0] = LLVMConstSub(LLVMConstPtrToInt(counts, i64), LLVMConstPtrToInt(tables, i64));
    LLVMSetInitializer(tables, LLVMConstStructInContext(c->m->context, values, 2, true));
    LLVMSetGlobalConstant(tables, true);
    LLVMSetLinkage(tables, LLVMInternalLinkage);
    LLVMSetSection(tables, AMP_COPIES_SITES);
    LLVMSetAlignment(tables, sizeof(int64_t));
    keep(c->m, tables);
    free(bytes);
}

void amp_copies_count(const struct amp_module *m, bool is_source)
{
    struct counting c = { .m = m };

    for (LLVMValueRef f = LLVMGetFirstFunction(m->module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            count_block(&c, b, is_source);
    if (c.n > 0) {
        LLVMValueRef counts = make_counts(&c);

        insert(&c, counts);
        make_tables(&c, counts);
    }
    amp_table_free(&c.table);
    free(c.counters);
}
