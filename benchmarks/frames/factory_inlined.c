/* SPDX-License-Identifier: MIT
 *
 * `factory` with its callees left to the compiler: both are inlined.
 *
 *   value     [first ... last]            the object is made where it is used; only the words that are read are made
 *   pointer   [ & ]--> [first ... last]   the allocation stays, since these kernels forbid its removal; a compiler that
 *                                         sees malloc() and free() in one function may remove both
 *
 * Same on both sides:  as in `factory`.
 * Different:           a value can disappear into registers, an object on the heap cannot.
 */
#define AMP_INLINE
#define AMP_VARIANT _inlined
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#define FACTORY_QUESTION "What does a new object cost as a value, and what on the heap, if the call is inlined?"
#define FACTORY_CLAIMS \
    { AMP_VALUE, .text = \
      "Return values from functions that may be inlined: parts that nobody reads are never made. An allocation stays." }
#include "benchmarks/frames/factory.c"
