/* SPDX-License-Identifier: MIT
 *
 * stack_copy_growable with a new stack for each operation: a lesson of its own, since no two pairs should share functions
 * that have to be placed.
 *
 *   value     2K [s] -> 16K [s a a] -> 32K -> 64K -> 128K [s a a a a a a a a a a a]    N = 1024: four moves
 *   pointer   2K [s & & & & & & & & & &]                                               it never does
 */
#define STACK_COPY_FRESH
#include "benchmarks/frames/stack_copy_growable.c"
