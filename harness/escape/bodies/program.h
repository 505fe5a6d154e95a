/* SPDX-License-Identifier: MIT
 *
 * Every function of a module, solved from the called ones up to their callers. Functions that call each other are
 * solved again until nothing changes. */
#ifndef AMP_ESCAPE_PROGRAM_H
#define AMP_ESCAPE_PROGRAM_H

#include <uthash.h>

#include "harness/escape/bodies/body.h"
#include "harness/escape/bodies/loops.h"

/* A function beyond these is not followed: it counts as one that keeps all that it gets. */
enum { AMP_BLOCKS_MOST = 10000, AMP_ROUNDS_MOST = 40 };

struct amp_function {
    LLVMValueRef function;
    struct amp_body body;
    struct amp_summary summary;
    struct amp_reach reach; /* from: NULL if it is not solved */
    const char *given_up;   /* why; NULL: it was followed */
    struct amp_loops *loops;
    struct amp_function **called; /* with a body, by name */
    int calls, call_room;
    int through_pointers, resolved; /* calls through pointers; those of which all targets are known */
    int changes, below;   /* of its summary; of all that it calls, when it was last solved */
    bool recursive;       /* a call of it may lead to another one */
    int index, low, next; /* of the search for circles of calls */
    bool on_stack;
    UT_hash_handle hh;
};

struct amp_program {
    LLVMModuleRef module;
    LLVMTargetDataRef layout;
    struct amp_function *function; /* in the module's order */
    int functions;
    struct amp_function *known; /* hash */
    struct amp_world world;
    int64_t held, steps; /* constraints and facts in memory; steps so far */
    bool exhausted;      /* too many: what is not solved by then is given up */
};

/* Some gigabyte of memory; a minute or so. */
#define AMP_HELD_MOST 24000000
#define AMP_STEPS_MOST 1000000000

/* `fields` stays the caller's, and must live as long. */
void amp_program_solve(struct amp_program *program, LLVMModuleRef module, struct amp_fields *fields,
                       enum amp_whole whole);
void amp_program_free(struct amp_program *program);
struct amp_function *amp_program_find(const struct amp_program *program, LLVMValueRef function);

#endif
