/* SPDX-License-Identifier: MIT
 *
 * Boehm's collector behind collector.h: it stops the world, has no barrier, and scans stacks and objects with pointers
 * word by word. What holds no pointer is not scanned. */
#ifndef GC_BOEHM_H
#define GC_BOEHM_H

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>

#define FUNCTION(type, name, frame_b, ...) static __attribute__((noinline)) type name(__VA_ARGS__)
#define STORE(place, pointer) ((place) = (pointer))
#define POLL() ((void) 0) /* a signal stops it anywhere */
#define COLLECT() GC_gcollect()
#define ON_HOST(fn, argument) fn(argument)

static inline void *new_array(const struct type *type, size_t n)
{
    size_t size_b = type->size_b * n;
    void *object = type->n_members > 0 ? GC_malloc(size_b) : GC_malloc_atomic(size_b);

    if (__builtin_expect(object == NULL, 0))
        _exit(AMP_EXIT_NO_MEMORY);
    if (type->n_members == 0)
        __builtin_memset(object, 0, size_b); /* GC_malloc() has done it */
    return object;
}

static inline void *new_object(const struct type *type)
{
    return new_array(type, 1);
}

#endif
