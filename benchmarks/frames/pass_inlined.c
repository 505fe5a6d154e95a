/* SPDX-License-Identifier: MIT
 *
 * `pass` with its callees left to the compiler: both are inlined, and nothing is passed any more.
 *
 *   value     caller [first ... last]     the copy is gone: the two words are read where they are
 *   pointer   caller [first ... last]     the pointer is gone, too
 *
 * Same on both sides:  as in `pass`, and here the instructions as well.
 * Different:           nothing. So `pass` measures calls that cannot be inlined: across files without link-time
 *                      optimization, through pointers, into libraries.
 */
#define AMP_INLINE
#define AMP_VARIANT _inlined
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#define PASS_QUESTION "What does an argument cost by value, and what by const pointer, if the call is inlined?"
#define PASS_CLAIMS \
    { AMP_NEITHER, .text = \
      "Within one file, write what reads best: inlined, value and pointer are the same instructions." }
#include "benchmarks/frames/pass.c"
