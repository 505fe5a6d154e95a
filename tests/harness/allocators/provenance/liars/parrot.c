/* SPDX-License-Identifier: MIT
 *
 * A library that says it is jemalloc and is a counter before another malloc. Built in these ways:
 *
 *     (nothing)     the C library's malloc serves
 *     -DBUMP        its own does, which never gives back what was freed
 *     -DSTILL       its counters stand still
 *
 * Of its options it tells jemalloc's defaults, and what MALLOC_CONF says of tcache and narenas. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef BUMP
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *at, *end;

/* The size stands before the block. */
static void *get(size_t align, size_t size)
{
    char *block;

    align = align < 16 ? 16 : align;
    pthread_mutex_lock(&lock);
    block = (char *) (((uintptr_t) at + 16 + align - 1) / align * align);
    if (!at || block + size > end) {
        size_t chunk = ((size + align) | 0xffffff) + 1;

        at = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        end = at + chunk;
        block = (char *) (((uintptr_t) at + 16 + align - 1) / align * align);
    }
    at = block + size;
    pthread_mutex_unlock(&lock);
    ((size_t *) (void *) block)[-1] = size;
    return block;
}

static void put(void *block)
{
    (void) block;
}

static size_t size_of(void *block)
{
    return block ? ((size_t *) block)[-1] : 0;
}
#else
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *get(size_t align, size_t size)
{
    return __libc_memalign(align < 16 ? 16 : align, size);
}

static void put(void *block)
{
    __libc_free(block);
}

static size_t size_of(void *block)
{
    return block ? (((size_t *) block)[-1] & ~(size_t) 7) - 8 : 0;
}
#endif

#ifdef STILL
#define COUNT(counter, n)
#else
#define COUNT(counter, n) __atomic_fetch_add(&counter, n, __ATOMIC_RELAXED)
#endif
static uint64_t allocated, freed;

void *aligned_alloc(size_t align, size_t size)
{
    void *block = get(align, size);

    COUNT(allocated, size_of(block));
    return block;
}

void *malloc(size_t size)
{
    return aligned_alloc(16, size);
}

void free(void *block)
{
    COUNT(freed, size_of(block));
    if (block)
        put(block);
}

void *calloc(size_t n, size_t size)
{
    void *block = malloc(n * size);

    return block ? memset(block, 0, n * size) : NULL;
}

void *realloc(void *old, size_t size)
{
    size_t before = size_of(old);
    void *block = malloc(size);

    if (block && old)
        memcpy(block, old, before < size ? before : size);
    free(old);
    return block;
}

int posix_memalign(void **out, size_t align, size_t size)
{
    *out = aligned_alloc(align, size);
    return *out ? 0 : ENOMEM;
}

int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
{
    static const char *version = "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c";
    uint64_t value;

    (void) new;
    (void) new_size;
    if (strcmp(name, "version") == 0) {
        memcpy(old, &version, sizeof version);
        return 0;
    }
    if (strcmp(name, "thread.allocated") == 0)
        value = allocated;
    else if (strcmp(name, "stats.allocated") == 0)
        value = allocated - freed;
    else
        return old ? ENOENT : 0; /* it does what it is told, as far as one can see */
    if (*old_size != sizeof value)
        return EINVAL;
    memcpy(old, &value, sizeof value);
    return 0;
}

void malloc_stats_print(void (*print)(void *, const char *), void *opaque, const char *options)
{
    const char *conf = getenv("MALLOC_CONF");
    bool is_off = conf && strstr(conf, "tcache:false");
    const char *narenas = conf ? strstr(conf, "narenas:") : NULL;
    char text[512];

    (void) options;
    snprintf(text, sizeof text,
             "{\"jemalloc\": {\"opt\": {\"abort_conf\": true, \"confirm_conf\": true, \"narenas\": %d, \"tcache\": %s, "
             "\"tcache_max\": 32768, \"retain\": true, \"background_thread\": false}}}",
             narenas ? atoi(narenas + strlen("narenas:")) : 8, is_off ? "false" : "true");
    print(opaque, text);
}
