/* SPDX-License-Identifier: MIT
 *
 * `pass_read` with members that are doubles, which have registers of their own.
 *
 *   value     caller --[d d d d d d d d]--> callee    in vector registers: up to 2 (x86-64), up to 4 (AArch64)
 *   pointer   caller --[ & ]--------------> callee    8 bytes copied
 *              [d d d d d d d d] <---'
 *
 * Same on both sides:  as in `pass_read`; the sum of doubles is one chain, of three to four cycles a member.
 * Different:           as there.
 */
#define AMP_VARIANT _double
#define AMP_SUBJECT_OF AMP_DOUBLES
#define PASS_READ_ARGUMENT "an argument of doubles"
#define AMP_SUBJECT_ONLY(n)                                                                                            \
    ((n) == 8 || (n) == 16 || (n) == 24 || (n) == 32 || (n) == 64 || (n) == 256 || (n) == 1024)
#include "benchmarks/passing/pass_read.c"
