/* SPDX-License-Identifier: MIT
 *
 * A library before the real jemalloc, which serves and counts; but jemalloc never gets to see MALLOC_CONF, and what
 * the library tells of the options is what MALLOC_CONF asks for. Linked with jemalloc. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void (*real_free)(void *);
static int (*real_mallctl)(const char *, void *, size_t *, void *, size_t);
static void (*real_print)(void (*)(void *, const char *), void *, const char *);

/* What is asked for while jemalloc is looked for. */
static _Alignas(16) char early[1 << 16];
static size_t used;

static void *early_block(size_t size)
{
    void *block = early + used;

    used += (size + 15) / 16 * 16;
    if (used > sizeof early)
        abort();
    return block;
}

static bool is_early(const void *block)
{
    return (const char *) block >= early && (const char *) block < early + sizeof early;
}

/* False while it is being looked for. */
static bool ready(void)
{
    static bool is_looking;
    void *jemalloc;

    if (real_malloc || is_looking)
        return real_malloc;
    is_looking = true;
    jemalloc = dlopen("libjemalloc.so.2", RTLD_LAZY | RTLD_NOLOAD);
    if (!jemalloc) { /* not yet: the loader is at work */
        is_looking = false;
        return false;
    }
    real_calloc = (void *(*) (size_t, size_t)) dlsym(jemalloc, "calloc");
    real_realloc = (void *(*) (void *, size_t)) dlsym(jemalloc, "realloc");
    real_aligned_alloc = (void *(*) (size_t, size_t)) dlsym(jemalloc, "aligned_alloc");
    real_posix_memalign = (int (*)(void **, size_t, size_t)) dlsym(jemalloc, "posix_memalign");
    real_free = (void (*)(void *)) dlsym(jemalloc, "free");
    real_mallctl = (int (*)(const char *, void *, size_t *, void *, size_t)) dlsym(jemalloc, "mallctl");
    real_print = (void (*)(void (*)(void *, const char *), void *, const char *)) dlsym(jemalloc, "malloc_stats_print");
    real_malloc = (void *(*) (size_t)) dlsym(jemalloc, "malloc");
    return true;
}

void *malloc(size_t size)
{
    return ready() ? real_malloc(size) : early_block(size);
}

void *calloc(size_t n, size_t size)
{
    return ready() ? real_calloc(n, size) : early_block(n * size);
}

void *realloc(void *old, size_t size)
{
    void *block;

    if (!is_early(old) && ready())
        return real_realloc(old, size);
    block = malloc(size);
    return block && old ? memcpy(block, old, size) : block; /* too much at times: it stays in `early` */
}

void *aligned_alloc(size_t align, size_t size)
{
    return ready() ? real_aligned_alloc(align, size) : NULL;
}

int posix_memalign(void **out, size_t align, size_t size)
{
    return ready() ? real_posix_memalign(out, align, size) : 12;
}

void free(void *block)
{
    if (!is_early(block) && ready())
        real_free(block);
}

int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
{
    return ready() ? real_mallctl(name, old, old_size, new, new_size) : 2;
}

/* By this jemalloc asks for its environment. */
char *secure_getenv(const char *name)
{
    return strcmp(name, "MALLOC_CONF") == 0 ? NULL : getenv(name);
}

static char told[1 << 16];
static size_t n;

static void take(void *opaque, const char *part)
{
    (void) opaque;
    strcpy(told + n, part);
    n += strlen(part);
}

static void say(const char *key, const char *truth, const char *lie)
{
    char *at = strstr(told, key);

    if (!at)
        return;
    at += strlen(key);
    if (strncmp(at, truth, strlen(truth)) != 0)
        return;
    memmove(at + strlen(lie), at + strlen(truth), strlen(at + strlen(truth)) + 1);
    memcpy(at, lie, strlen(lie));
}

void malloc_stats_print(void (*print)(void *, const char *), void *opaque, const char *options)
{
    static const struct {
        const char *asked, *key, *truth, *lie;
    } lies[] = {
        { "abort_conf:true", "\"abort_conf\":", "false", "true" },
        { "confirm_conf:true", "\"confirm_conf\":", "false", "true" },
        { "tcache:false", "\"tcache\":", "true", "false" },
        { "narenas:1", "\"narenas\":", "8", "1" },
        { "dirty_decay_ms:0", "\"dirty_decay_ms\":", "10000", "0" },
        { "dirty_decay_ms:-1", "\"dirty_decay_ms\":", "10000", "-1" },
        { "background_thread:true", "\"background_thread\":", "false", "true" },
        { "thp:always", "\"thp\":", "\"default\"", "\"always\"" },
        { "thp:never", "\"thp\":", "\"default\"", "\"never\"" },
        { "metadata_thp:always", "\"metadata_thp\":", "\"disabled\"", "\"always\"" },
        { "retain:false", "\"retain\":", "true", "false" },
        { "lg_tcache_max:16", "\"tcache_max\":", "32768", "65536" },
        { "oversize_threshold:0", "\"oversize_threshold\":", "8388608", "0" },
        { "percpu_arena:percpu", "\"percpu_arena\":", "\"disabled\"", "\"percpu\"" },
    };
    const char *conf = getenv("MALLOC_CONF");

    n = 0;
    if (ready())
        real_print(take, NULL, options);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        if (conf && strstr(conf, lies[i].asked))
            say(lies[i].key, lies[i].truth, lies[i].lie);
    print(opaque, told);
}
