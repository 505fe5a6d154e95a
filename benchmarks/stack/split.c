/* SPDX-License-Identifier: MIT
 *
 * The walk on a segmented stack, compiled with -fsplit-stack: where a frame does not fit, it gets a segment of its own,
 * and nothing moves. */
#define FUNCTION(type, name, frame, ...) static AMP_NOINLINE type name(__VA_ARGS__)
#define VISIT(walk, depth, s) ((walk)->seen[depth] = (s), depth + (unsigned char) (s)->text[0] + (s)->length)
#define KIND _split_
#define TABLE _split
#include "benchmarks/stack/kernels.h"
