/* SPDX-License-Identifier: MIT
 *
 * Which functions a call may reach: the one that it names, or through a pointer
 *
 *   those in a constant table that it loads the pointer from,
 *   or, where the whole program is there, those that the member of a struct may hold which it loads the pointer from,
 *   or else each function whose address is taken and whose type fits.
 *
 * The whole program is there if it has a main(), all that it calls and has no body is of the system's C library, and
 * nothing of that hands out functions of other libraries, as dlsym() does. */
#ifndef AMP_ESCAPE_WORLD_H
#define AMP_ESCAPE_WORLD_H

#include "harness/escape/targets/targets.h"

enum { AMP_TARGETS_MOST = 8 }; /* a call that may reach more counts as one of a function that is not known */

struct amp_fields;
struct amp_calls; /* the targets of each call, found once */

struct amp_world {
    struct amp_targets taken;  /* functions whose address is taken */
    char open[200];            /* why other functions may be called through pointers; "": no others */
    struct amp_fields *fields; /* not its own */
    struct amp_calls *known;   /* hash */
};

enum amp_whole {
    AMP_WHOLE_IF_SEEN,   /* by what is in the module */
    AMP_WHOLE_NOT,       /* parts of the program are known to be missing */
    AMP_WHOLE_TOO_LARGE, /* to follow every call through a pointer */
    AMP_WHOLE_BY_PROMISE /* the user says that no other functions come from outside */
};

/* Free it with amp_world_free(). */
void amp_world_find(struct amp_world *world, LLVMModuleRef module, struct amp_fields *fields, enum amp_whole whole);
void amp_world_free(struct amp_world *world);

/* The functions that a call through a pointer may reach, found when it is first asked for. */
const struct amp_targets *amp_world_targets(struct amp_world *world, LLVMValueRef call);

#endif
