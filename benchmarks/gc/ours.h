/* SPDX-License-Identifier: MIT
 *
 * ampersand's own collector behind collector.h: mutators run on growable stacks, and stop where a function begins or
 * allocates. */
#ifndef GC_OURS_H
#define GC_OURS_H

#include "harness/gc/gc.h"

#define FUNCTION(type, name, frame_b, ...) AMP_GROWS(type, name, frame_b, __VA_ARGS__)
#define STORE(place, pointer) amp_gc_store(&(place), pointer)
#define POLL() amp_gc_poll()
#define COLLECT() ON_HOST(ours_collect, NULL)
#define ON_HOST(fn, argument) amp_stack_call(fn, argument)

/* An allocation failed: ends the process; on the host stack. Each program's. */
__attribute__((visibility("hidden"), cold)) uint64_t ours_fail(void *unused);
uint64_t ours_collect(void *unused); /* of the program of `gc` */

#define OURS_MEMBERS 16 /* of a type, at most */

/* The words of a type's pointers are its members' offsets; `words` has room for that many, and stays. */
static inline int ours_add_type(struct amp_gc *gc, struct type *type, uint16_t words[OURS_MEMBERS])
{
    const struct amp_gc_type described = { type->name, type->size_b, words, type->n_members };

    for (size_t i = 0; i < type->n_members; i++)
        words[i] = (uint16_t) (type->members[i].offset_b / sizeof(void *));
    return amp_gc_type_add(gc, &described, &type->id);
}

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
