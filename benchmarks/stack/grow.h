/* SPDX-License-Identifier: MIT
 *
 * One growth, of a stack that is almost full. */
#ifndef BENCHMARKS_STACK_GROW_H
#define BENCHMARKS_STACK_GROW_H

#include "harness/stack/stack.h"

#define GROW_SIZES 7 /* to 4, 8, ... 256 KiB */

/* Fill a stack of size to_b / 2 up to some hundred bytes, then make GROW_CALLS calls: each from within the one before
 * where *(int *) arg is not 0, so that it grows once, to to_b; else one after the other, so that it does not. */
struct grower {
    size_t to_b;
    amp_stack_fn *fill;
};

#define GROW_CALLS 12

extern const struct grower growers[GROW_SIZES];

#endif
