/* SPDX-License-Identifier: MIT
 *
 * A function's instructions as constraints of its graph. */
#ifndef AMP_ESCAPE_BODY_H
#define AMP_ESCAPE_BODY_H

#include <llvm-c/Target.h>

#include "harness/escape/graph/summary.h"

/* A call that returns fresh memory. */
struct amp_site {
    LLVMValueRef call;
    int memory;
    struct amp_size size; /* in the calling function's terms */
    bool resizes;         /* realloc */
};

/* A value that a call frees. */
struct amp_free {
    LLVMValueRef call;
    int value;
    bool alone; /* the call frees it, and does nothing else */
};

struct amp_body {
    LLVMValueRef function;
    LLVMTargetDataRef layout;
    struct amp_graph graph;
    struct amp_site *site;
    int sites, site_room;
    struct amp_free *free;
    int frees, free_room;
    bool odd;           /* has an instruction that is not known */
    bool returns_twice; /* calls setjmp: what stands once may run twice */
    const struct amp_summary *(*summary_of)(void *program, LLVMValueRef function); /* NULL: it has no body */
    void *program;
};

/* Make the constraints of all instructions. The graph must be started. */
void amp_body_read(struct amp_body *body);

/* The number of an operand; -1 if it points nowhere. */
int amp_body_operand(struct amp_body *body, LLVMValueRef operand);

/* The constraints of a call: of an intrinsic, a function with a summary, one of the C library, or an unknown one. */
void amp_body_call(struct amp_body *body, LLVMValueRef call);

/* Those of a function whose summary is known. */
void amp_body_apply(struct amp_body *body, LLVMValueRef call, const struct amp_summary *summary);

/* The arguments escape, and the result may be anything. */
void amp_body_unknown(struct amp_body *body, LLVMValueRef call);

void amp_body_add_site(struct amp_body *body, struct amp_site site);
void amp_body_add_free(struct amp_body *body, struct amp_free freed);

/* A value as a size in terms of the function's arguments. */
struct amp_size amp_size_of(LLVMValueRef value);
struct amp_size amp_size_times(struct amp_size a, struct amp_size b);

#endif
