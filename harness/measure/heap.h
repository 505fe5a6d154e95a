/* SPDX-License-Identifier: MIT
 *
 * Exact allocation counts of a stretch of code, from hooks in jemalloc.
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
    uint64_t allocs;    /* successful calls; a realloc counts where it changes the size class */
    uint64_t frees;     /* the same: such a realloc frees the old size and allocates the new one */
    uint64_t asked_b;   /* as asked for, by the calls that count */
    uint64_t granted_b; /* rounded up to jemalloc's size classes */
    uint64_t peak_b;    /* granted, live at once, above what lived at amp_heap_begin() */
    size_t n_classes;
    struct amp_heap_class classes[AMP_HEAP_CLASSES]; /* ascending, only those with allocs > 0 */
};

/* Whether counts can be had here: -ENOTSUP if malloc is not jemalloc's (a sanitizer's, valgrind's, a preloaded one) or
 * jemalloc cannot be hooked; *why says which, static storage. The first call allocates a little, when no other thread
 * may; its answer holds for the process. */
int amp_heap_available(const char **why);

/* Count from here on. Not reentrant. errors: -ENOTSUP, -EBUSY if begun already. */
int amp_heap_begin(void);

/* What was allocated since amp_heap_begin(), by every thread that has ended or is the caller. Itself allocates nothing
 * that is counted. errors: -EINVAL without amp_heap_begin(). Slows malloc down meanwhile: never time and count at once.
 *
 * source   jemalloc's mallctl "experimental.hooks.install": one call per event, with the arguments as the program gave
 *          them. stats.arenas.4096.{small,large}.nrequests say the same for one thread (the tests hold the two against
 *          each other), but also count the cache that jemalloc makes for each thread, and what a thread asked for
 *          before amp_heap_begin() and flushed later. */
int amp_heap_end(struct amp_heap *out);

#endif
