/* SPDX-License-Identifier: MIT
 *
 * Bitcode files as one module of LLVM. */
#ifndef AMP_ESCAPE_MODULE_H
#define AMP_ESCAPE_MODULE_H

#include <stdbool.h>

#include <llvm-c/Core.h>

/* Read the files and link them. A file that cannot be linked (a second main) is left out, and named on stderr; then
 * *left_out is true. NULL if a file cannot be read; this is said on stderr. */
LLVMModuleRef amp_module_read(LLVMContextRef context, char *const *paths, int n, bool *left_out);

/* Run passes, as opt -passes does. False if it cannot be done; this is said on stderr. */
bool amp_module_run(LLVMModuleRef module, const char *passes);

#endif
