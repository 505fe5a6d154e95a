/* SPDX-License-Identifier: MIT
 *
 * The walk on a stack that stands still and is as large as it will ever be. */
#define FUNCTION(type, name, frame, ...) static AMP_NOINLINE type name(__VA_ARGS__)
#define VISIT(walk, depth, s) ((walk)->seen[depth] = (s), depth + (unsigned char) (s)->text[0] + (s)->length)
#define KIND _native_
#define TABLE _native
#include "benchmarks/stack/kernels.h"
