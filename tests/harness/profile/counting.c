/* SPDX-License-Identifier: MIT
 *
 * The oracle: an allocator of its own, preloaded behind the profiler, so that it sees what the profiler passes on and
 * what it fails to catch. It counts in a file that all processes map. It gives out memory and takes none back: two
 * additions, so that a signal handler may allocate, too. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_B ((size_t) 1 << 34)

static struct {
    uint64_t allocs, bytes, frees;
} *counts;
static char *next;

static void begin(void)
{
    int fd = open(COUNT_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char self[4096] = "";

    if (fd < 0 || ftruncate(fd, 4096) || readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        _exit(99);
    /* Not the profiler's own, which it is preloaded into, too. Written last: a signal handler may come in between. */
    next = mmap(NULL, ARENA_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    __atomic_store_n(&counts, mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                   strstr(self, "/ampersand-profile") ? MAP_PRIVATE : MAP_SHARED, fd, 0),
                     __ATOMIC_SEQ_CST);
    close(fd);
    if ((void *) counts == MAP_FAILED || next == MAP_FAILED)
        _exit(98);
}

static void *take(size_t size, size_t alignment, size_t asked)
{
    char *p;

    if (!counts)
        begin();
    if (alignment < 16)
        alignment = 16;
    if (size > ARENA_B / 2) {
        errno = ENOMEM;
        return NULL;
    }
    p = __atomic_fetch_add(&next, (size + 2 * alignment + 31) / 16 * 16, __ATOMIC_RELAXED);
    p = (char *) (((uintptr_t) p + 16 + alignment - 1) / alignment * alignment);
    ((size_t *) p)[-1] = size;
    __atomic_fetch_add(&counts->allocs, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counts->bytes, asked, __ATOMIC_RELAXED);
    return p;
}

void *malloc(size_t size) { return take(size, 16, size); }
void *aligned_alloc(size_t alignment, size_t size) { return take(size, alignment, size); }
void *memalign(size_t alignment, size_t size) { return take(size, alignment, size); }
void *valloc(size_t size) { return take(size, 4096, size); }
void *pvalloc(size_t size) { return take((size + 4095) / 4096 * 4096, 4096, size); }

void *calloc(size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return take(bytes, 16, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) || (alignment & (alignment - 1)))
        return EINVAL;
    *out = take(size, alignment, size);
    return *out ? 0 : ENOMEM;
}

void free(void *p)
{
    if (p)
        __atomic_fetch_add(&counts->frees, 1, __ATOMIC_RELAXED);
}

void *realloc(void *p, size_t size)
{
    void *moved;

    if (p && size == 0) {
        free(p);
        return NULL;
    }
    moved = take(size, 16, size);
    if (p && moved) {
        size_t before = ((size_t *) p)[-1];

        memcpy(moved, p, before < size ? before : size);
        free(p);
    }
    return moved;
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}
