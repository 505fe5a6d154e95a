/* SPDX-License-Identifier: MIT
 *
 * The function that the program would call without us: the next one of its name that the loader finds. */
#ifndef AMP_TIMELINE_NEXT_H
#define AMP_TIMELINE_NEXT_H

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* Write it to a pointer to such a function; NULL: there is none.
 *
 * Before glibc 2.36, RTLD_NEXT finds the oldest version of a name; functions of conditions have one that takes another
 * kind of condition. Only they are asked for by version: what is not found costs the loader an allocation, for which
 * the program's allocator may take a lock, that is, call us. */
static inline void amp_next_find(const char *name, void *function)
{
    void *found = NULL;

#if defined(__GLIBC__) && defined(__x86_64__)
    if (!strncmp(name, "pthread_cond_", strlen("pthread_cond_")))
        found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
#endif
    if (!found)
        found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

#endif
