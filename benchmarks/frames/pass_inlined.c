/* SPDX-License-Identifier: MIT
 *
 * `pass` with its callees left to the compiler: both are inlined, and nothing is handed over any more.
 *
 *   value     caller [first ... last]     the copy is gone: the two bytes are read where they are
 *   pointer   caller [first ... last]     the pointer is gone, too
 *
 * Same on both sides:  all that `pass` has the same; and here the instructions as well.
 * Different:           nothing that is left. What `pass` measures is the price of a call that hides its callee: across
 *                      files without link-time optimisation, through pointers, into libraries.
 */
#define AMP_INLINE
#define AMP_VARIANT _inlined
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#define PASS_PREFER                                                                                                    \
    "Within one file, write what reads best: inlined, value and pointer are the same instructions."
#include "benchmarks/frames/pass.c"
