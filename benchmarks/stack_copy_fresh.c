/* SPDX-License-Identifier: MIT
 *
 * stack_copy_growable with a new stack for each operation: a lesson of its own, since no two pairs should share functions
 * that have to be placed. */
#define STACK_COPY_FRESH
#include "benchmarks/stack_copy_growable.c"
