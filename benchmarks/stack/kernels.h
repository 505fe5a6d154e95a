/* SPDX-License-Identifier: MIT
 *
 * The walk's functions. Whoever includes this defines
 *   FUNCTION(type, name, frame, parameters...)   how a function begins
 *   VISIT(walk, depth, s)                        what a call does with the string's address; a number
 *   KIND, TABLE                                  what the names of its functions and of its table have behind them
 * and this file includes itself for each number of elements. */
#ifndef ELEMENTS

#include "benchmarks/stack/walk.h"
#include "harness/kernel.h"

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(KIND, ELEMENTS)
#define array AMP_NAME(array)
#define walk_value AMP_NAME(walk_by_value)
#define walk_pointer AMP_NAME(walk_by_pointer)
#define ops_value AMP_NAME(ops_by_value)
#define ops_pointer AMP_NAME(ops_by_pointer)
#define ROW(n) { n, AMP_NAME_(AMP_NAME_(ops_by_value, KIND), n), AMP_NAME_(AMP_NAME_(ops_by_pointer, KIND), n) }

#define ELEMENTS 1
#include "benchmarks/stack/kernels.h"
#define ELEMENTS 16
#include "benchmarks/stack/kernels.h"
#define ELEMENTS 64
#include "benchmarks/stack/kernels.h"
#define ELEMENTS 256
#include "benchmarks/stack/kernels.h"
#define ELEMENTS 1024
#include "benchmarks/stack/kernels.h"
#define ELEMENTS 4096
#include "benchmarks/stack/kernels.h"

const struct walker AMP_NAME_(walk, TABLE)[WALK_SIZES] = { ROW(1), ROW(16), ROW(64), ROW(256), ROW(1024), ROW(4096) };

#else

struct array {
    int64_t element[ELEMENTS];
};

FUNCTION(uint64_t, walk_value, 8 * ELEMENTS + 120, struct walk *walk, const struct string *s, unsigned depth,
         struct array a)
{
    uint64_t sum = VISIT(walk, depth, s) + (uint64_t) (a.element[0] + a.element[ELEMENTS - 1]);

    if (depth + 1 < walk->depth)
        sum += walk_value(walk, s, depth + 1, a);
    amp_keep(s); /* something to come back for, so that the call is not made a loop */
    return sum;
}

FUNCTION(uint64_t, walk_pointer, 96, struct walk *walk, const struct string *s, unsigned depth, const struct array *a)
{
    uint64_t sum = VISIT(walk, depth, s) + (uint64_t) (a->element[0] + a->element[ELEMENTS - 1]);

    if (depth + 1 < walk->depth)
        sum += walk_pointer(walk, s, depth + 1, a);
    amp_keep(s);
    return sum;
}

FUNCTION(uint64_t, ops_value, 8 * ELEMENTS + 136, void *arg)
{
    struct walk *walk = arg;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = walk->ops; i > 0; i--)
        sum += walk_value(walk, &s, 0, *(const struct array *) walk->elements);
    return sum;
}

FUNCTION(uint64_t, ops_pointer, 128, void *arg)
{
    struct walk *walk = arg;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = walk->ops; i > 0; i--)
        sum += walk_pointer(walk, &s, 0, (const struct array *) walk->elements);
    return sum;
}

#undef ELEMENTS
#endif
