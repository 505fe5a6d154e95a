/* SPDX-License-Identifier: MIT
 *
 * The allocator that the program would have without us: the next one that the loader finds. */
#ifndef AMP_PROFILE_REAL_H
#define AMP_PROFILE_REAL_H

#include <stdbool.h>
#include <stddef.h>

struct amp_real {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    int (*dlclose)(void *);
};

extern struct amp_real amp_real;

extern bool amp_real_found;

/* At the first allocation of the process, when it has one thread. False: the loader is just finding them, and
 * allocates. */
bool amp_real_find(void);

/* Find them, if that was not done; false as above. */
static inline bool amp_real_ready(void)
{
    return __builtin_expect(amp_real_found, 1) || amp_real_find();
}

/* The next function of any name, NULL if there is none. */
void *amp_real_next(const char *name);

/* What the loader gets while it finds them; never given back. */
void *amp_real_early(size_t size_b);
bool amp_real_is_early(const void *p);
size_t amp_real_early_behind(const void *p); /* bytes from there to the end of all of it */

#endif
