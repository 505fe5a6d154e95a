/* SPDX-License-Identifier: MIT
 *
 * What is copied, and what lies in frames, as the source says it: before any optimisation. */
#ifndef AMP_ESCAPE_COPIES_H
#define AMP_ESCAPE_COPIES_H

#include <jansson.h>
#include <llvm-c/Core.h>

/* A new object of lists:
 *   copies       objects that are assigned, passed in memory or copied by memcpy(): place, function, what, bytes, loop
 *   parameters   those passed by value in memory: function and its place, name, bytes, changed
 *   frames       of each function its bytes of locals; what it takes of the stack while it runs: VLA, alloca */
json_t *amp_copies_find(LLVMModuleRef module);

#endif
