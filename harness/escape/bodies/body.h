/* SPDX-License-Identifier: MIT
 *
 * A function's instructions as constraints of its graph. */
#ifndef AMP_ESCAPE_BODY_H
#define AMP_ESCAPE_BODY_H

#include <llvm-c/Target.h>

#include "harness/escape/bodies/size.h"
#include "harness/escape/targets/world.h"
#include "harness/escape/graph/summary.h"

/* A call that returns fresh memory. */
struct amp_site {
    LLVMValueRef call;
    int memory;
    struct amp_size size; /* in the calling function's terms */
    uint64_t most_b;      /* that it can have where that is bounded; else 0 */
    bool resizes;         /* realloc */
    enum amp_contents contents;
    const char *mixed;    /* why its result may be another object; NULL: it may not */
    bool filled;          /* the call does more than make it */
};

/* A value that a call frees. */
struct amp_free {
    LLVMValueRef call;
    int value;
    enum amp_freeing how;
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
    /* The functions that a call through a pointer may reach; NULL or none: not known. */
    const struct amp_targets *(*targets_of)(void *program, LLVMValueRef call);
    int made;            /* how often amp_body_fresh() was called */
    bool one_of_several; /* reading a call that may reach another function instead */
    void *program;
};

enum { AMP_CONSTRAINTS_MOST = 400000 };

/* Make the constraints of all instructions, up to one more than that. The graph must be started. */
void amp_body_read(struct amp_body *body);

/* The number of an operand; -1 if it points nowhere. */
int amp_body_operand(struct amp_body *body, LLVMValueRef operand);

/* The constraints of a call: of an intrinsic, a function with a summary, one of the C library, or an unknown one. */
void amp_body_call(struct amp_body *body, LLVMValueRef call);

/* Those of a function whose summary is known. */
void amp_body_apply(struct amp_body *body, LLVMValueRef call, LLVMValueRef function,
                    const struct amp_summary *summary);

/* The arguments escape, and the result may be anything. */
void amp_body_unknown(struct amp_body *body, LLVMValueRef call);

/* The memory that a call makes: one, whichever function it reaches. */
int amp_body_fresh(struct amp_body *body, struct amp_site site);
void amp_body_add_free(struct amp_body *body, struct amp_free freed);

/* How many memories a free() of this may free. Locals are none: to free one is undefined, so it does not happen. */
int amp_body_freed(const struct amp_body *body, const struct amp_facts *facts);

/* The call's site; NULL if it makes nothing. */
struct amp_site *amp_body_site(struct amp_body *body, LLVMValueRef call);

#endif
