/* SPDX-License-Identifier: MIT
 *
 * Count the allocations of a piece of code, exactly, by hooks in jemalloc.
 * Functions return 0 or a negative errno; on failure *out is untouched. */
#ifndef AMP_HEAP_H
#define AMP_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct amp_heap_class {
    uint64_t class_b; /* a size class of jemalloc */
    uint64_t allocs;
};

#define AMP_HEAP_CLASSES 256

struct amp_heap {
    uint64_t allocs;    /* successful calls; a realloc counts if it changes the size class */
    uint64_t frees;     /* such a realloc counts here, too: it frees the old block */
    uint64_t asked_b;   /* the sizes that these calls asked for */
    uint64_t granted_b; /* rounded up to jemalloc's size classes */
    uint64_t peak_b;    /* granted and live at the same time, beyond what was live at amp_heap_begin() */
    size_t n_classes;
    struct amp_heap_class classes[AMP_HEAP_CLASSES]; /* ascending, only those with allocs > 0 */
};

/* Can this process count? -ENOTSUP if malloc is not jemalloc's (but a sanitizer's, valgrind's, a preloaded one), or if
 * jemalloc cannot be hooked; *why says which (static storage). The answer stays the same for the process. The first
 * call allocates a little; no other thread may allocate meanwhile. */
int amp_heap_available(const char **why);

/* Start to count. Not reentrant. errors: -ENOTSUP, -EBUSY if counting already. */
int amp_heap_begin(void);

/* Stop, and say what was allocated since amp_heap_begin(), by the caller and all threads that have ended. Counting
 * slows malloc down: never time and count at once. errors: -EINVAL without amp_heap_begin()
 *
 * source   jemalloc's mallctl "experimental.hooks.install": one call for each event, with the arguments of the program.
 *          The statistics stats.arenas.4096.{small,large}.nrequests say the same for one thread, and the tests compare
 *          the two. But they also count the cache that jemalloc makes for each thread, and what a thread asked for
 *          before amp_heap_begin() and flushed later. */
int amp_heap_end(struct amp_heap *out);

#endif
