/* SPDX-License-Identifier: MIT
 *
 * Pairs that declare other allocations than they make. */
#include "harness/kernel.h"

/* Of `ops` operations the first `times` allocate. */
static AMP_ALWAYS_INLINE uint64_t allocate(uint64_t times, uint64_t ops)
{
    for (uint64_t i = 0; i < ops; i++) {
        void *p = i < times ? amp_alloc(24) : NULL;

        amp_keep(p);
        free(p);
    }
    return ops;
}

/* A pair whose sides allocate so often in `ops` operations; then what the pointer side declares. */
#define PAIR(name, value_times, pointer_times, ...)                                                                    \
    static uint64_t name##_value(void *fixture, uint64_t ops)                                                          \
    {                                                                                                                  \
        (void) fixture;                                                                                                \
        return allocate(value_times, ops);                                                                             \
    }                                                                                                                  \
    static uint64_t name##_pointer(void *fixture, uint64_t ops)                                                        \
    {                                                                                                                  \
        (void) fixture;                                                                                                \
        return allocate(pointer_times, ops);                                                                           \
    }                                                                                                                  \
    AMP_PAIR(name, .question = "Is a wrong declaration noticed?", .value = { .run = name##_value },                    \
             .pointer = { .run = name##_pointer, __VA_ARGS__ }, .sizes = AMP_SIZES(24))

PAIR(too_many_declared, 0, ops, .allocs_per_op = 2, .bytes_per_op = 24);
PAIR(none_declared, 0, ops, .allocs_per_op = 0);
PAIR(other_bytes_declared, 0, ops, .allocs_per_op = 1, .bytes_per_op = 25);
PAIR(half_made, 0, ops / 2, .allocs_per_op = 1, .bytes_per_op = 24);
PAIR(none_made, 0, 0, .allocs_per_op = 1, .bytes_per_op = 24);
PAIR(both_wrong, ops, ops, .allocs_per_op = 0);
PAIR(any_bytes_declared, 0, ops, .allocs_per_op = 2, .bytes_per_op = AMP_ANY);
PAIR(any_allocations_declared, 0, ops, .allocs_per_op = AMP_ANY, .bytes_per_op = 25);
