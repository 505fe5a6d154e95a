/* SPDX-License-Identifier: MIT
 *
 * stack_copy_growable with a new stack for each operation. It is a lesson of its own, since two pairs should not share
 * functions that are placed.
 *
 *   value     2K [s] -> 16K [s a a] -> 32K -> 64K -> 128K [s a a a a a a a a a a a]    N = 1024: four moves
 *   pointer   2K [s & & & & & & & & & &]                                               no move
 */
#define STACK_COPY_FRESH
#include "benchmarks/frames/stack_copy_growable.c"
