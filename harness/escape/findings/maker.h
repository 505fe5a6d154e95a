/* SPDX-License-Identifier: MIT */
#ifndef AMP_ESCAPE_MAKER_H
#define AMP_ESCAPE_MAKER_H

#include <llvm-c/Core.h>

/* What a program would miss if a call of the function became the address of a local, or went away: a function that only
 * makes or frees memory, or ends the program where there is none, does nothing more. NULL: nothing. */
const char *amp_maker_does_more(LLVMValueRef function);

#endif
