/* SPDX-License-Identifier: MIT
 *
 * Where objects are still copied, and objects still allocated, when the compiler is done with the program (-O2). */
#ifndef AMP_ESCAPE_SURVIVING_H
#define AMP_ESCAPE_SURVIVING_H

#include <jansson.h>
#include <llvm-c/Core.h>

/* Of an optimised module the places of what copies: {"copies": [{file, line, column}]}, a new reference. A copy of few
 * bytes may have become loads and stores: then these stand there. */
json_t *amp_surviving_find(LLVMModuleRef module);

#endif
