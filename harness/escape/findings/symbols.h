/* SPDX-License-Identifier: MIT
 *
 * Which names a file defines for others, and which it needs of them: so that files are linked as their build does. */
#ifndef AMP_ESCAPE_SYMBOLS_H
#define AMP_ESCAPE_SYMBOLS_H

#include <jansson.h>
#include <llvm-c/Core.h>

/* {"defines": [...], "needs": [...]}, a new reference. */
json_t *amp_symbols_find(LLVMModuleRef module);

#endif
