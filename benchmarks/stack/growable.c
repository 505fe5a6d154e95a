/* SPDX-License-Identifier: MIT
 *
 * The walk on a stack that grows by moving. */
#include "harness/stack/stack.h"
#define FUNCTION(type, name, frame, ...) AMP_GROWS(type, name, frame, __VA_ARGS__)
#define VISIT(walk, depth, s) ((walk)->seen[depth] = (s), depth + (unsigned char) (s)->text[0] + (s)->length)
#define KIND _growable_
#define TABLE _growable
#include "benchmarks/stack/kernels.h"
