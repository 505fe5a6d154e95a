/* SPDX-License-Identifier: MIT
 *
 * What functions of the C library do with the pointers that they get. A function that is not in the table is taken to
 * keep all that it gets. */
#ifndef AMP_ESCAPE_LIBC_H
#define AMP_ESCAPE_LIBC_H

#include <llvm-c/Core.h>

/* Effects, a word each:
 *   rN      returns a pointer into what argument N points to
 *   sN:M    stores argument M in the memory of argument N
 *   cN:M    copies the memory of argument M to that of N
 *   fN      frees argument N
 *   o       returns memory that is not this program's to free, or of the library
 *   aN      returns fresh memory of argument N bytes;  aN*M: of N times M;  a?: of a size that is not known
 *   wN      writes what the memory of argument N holds, which may come back: threads send pointers through pipes
 *   iN      fills the memory of argument N from outside;  v: of each variadic argument
 *   m       the fresh memory is what a realloc made */
struct amp_libc {
    const char *name;
    const char *effects;
};

/* NULL if the table does not know the name. */
const struct amp_libc *amp_libc_find(const char *name);

/* What a function does by its name: one without a body, or malloc() and its like where the program brings its own,
 * which must do what the standard says. NULL: its name says nothing. */
const struct amp_libc *amp_libc_means(LLVMValueRef function);

#endif
