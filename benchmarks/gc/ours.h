/* SPDX-License-Identifier: MIT
 *
 * ampersand's own collector behind collector.h: mutators run on growable stacks, and stop where a function begins or
 * allocates. */
#ifndef GC_OURS_H
#define GC_OURS_H

#include "harness/gc/gc.h"

#define FUNCTION(type, name, frame_b, ...) AMP_GROWS(type, name, frame_b, __VA_ARGS__)
#define STORE(place, pointer) amp_gc_store(&(place), pointer)

uint64_t ours_fail(void *unused); /* an allocation failed: says why and ends the process; on the host stack */

static inline void *new_array(const struct type *type, size_t n)
{
    void *object = amp_gc_alloc_array(type->id, n);

    if (__builtin_expect(object == NULL, 0))
        amp_stack_call(ours_fail, NULL);
    return object;
}

static inline void *new_object(const struct type *type)
{
    void *object = amp_gc_alloc(type->id);

    if (__builtin_expect(object == NULL, 0))
        amp_stack_call(ours_fail, NULL);
    return object;
}

#endif
