/* SPDX-License-Identifier: MIT
 *
 * Libraries that are no allocator to measure. Built in these ways:
 *
 *     -DPLAIN       malloc and its kin are the C library's under another roof
 *     -DHALF        malloc and free only; the others stay where they were
 *     -DCRASH       dies of SIGSEGV as it is loaded
 *     -DDEADLOCK    its first malloc says so and never comes back
 *     -DEMPTY       has no malloc at all */
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

#ifndef EMPTY
void *malloc(size_t size)
{
#ifdef DEADLOCK
    static const char said[] = "malloc never comes back\n";

    if (write(STDERR_FILENO, said, sizeof said - 1))
        for (;;)
            pause();
#endif
    return __libc_malloc(size);
}

void free(void *block)
{
    __libc_free(block);
}

#ifndef HALF
void *calloc(size_t n, size_t size)
{
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    *out = __libc_memalign(align, size);
    return *out ? 0 : 12;
}
#endif
#endif

int amp_broken(void)
{
    return 1;
}

#ifdef CRASH
__attribute__((constructor)) static void crash(void)
{
    raise(SIGSEGV);
}
#endif
