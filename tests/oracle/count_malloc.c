/* SPDX-License-Identifier: MIT
 *
 * An oracle for harness/measure/heap.c: LD_PRELOAD this library, and it counts what a program asks of malloc, by other
 * means.
 *
 *     heap.c    jemalloc's hooks, atomics, usable sizes as jemalloc reports them
 *     here      the symbols themselves (so libc's own calls count), one lock, sizes computed by nallocx()
 *
 * The rule for realloc is the same and is decided otherwise: it counts, as one allocation and one free, where nallocx()
 * of the new size is not what the old object had.
 *
 * It counts in windows. heap.c opens one when it asks jemalloc for a hook and closes it when it takes the hook away;
 * both go through mallctl(), which is interposed here to listen: so a tested program carries no code for the test.
 * Each window appends a line of JSON to the file named by $AMPERSAND_ORACLE. */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jemalloc/jemalloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
    int (*mallctl)(const char *, void *, size_t *, void *, size_t);
} real;

#define MOST_CLASSES 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool open, one_thread; /* whether only the thread that opened it was seen: then there is but one peak */
    pthread_t opener;
    uint64_t allocs, frees, asked_b, granted_b;
    int64_t live_b, peak_b;
    size_t n_classes;
    struct {
        size_t class_b;
        uint64_t allocs;
    } classes[MOST_CLASSES];
} window;

/* What dlsym() itself asks for, while the functions above are looked up, comes from here and is never taken back. */
static bool finding;
static _Alignas(64) char early[4096];
static size_t early_used;

static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    memcpy(function, &found, sizeof(found));
}

/* Called first by whoever comes first: libstdc++ allocates before any constructor of ours would run. */
static bool found_all(void)
{
    if (real.mallctl != NULL)
        return true;
    if (finding)
        return false;
    finding = true;
    find(&real.malloc, "malloc");
    find(&real.calloc, "calloc");
    find(&real.realloc, "realloc");
    find(&real.aligned_alloc, "aligned_alloc");
    find(&real.memalign, "memalign");
    find(&real.valloc, "valloc");
    find(&real.posix_memalign, "posix_memalign");
    find(&real.free, "free");
    find(&real.mallctl, "mallctl");
    return true;
}

/* For the calls that dlsym() does not make. */
static void need_all(void)
{
    if (!found_all())
        abort();
}

static void *early_alloc(size_t size)
{
    void *p = early + early_used;

    early_used += (size + 63) / 64 * 64;
    if (early_used > sizeof(early))
        abort();
    return p;
}

static bool is_early(const void *p)
{
    return (const char *) p >= early && (const char *) p < early + sizeof(early);
}

static void count_class(size_t class_b)
{
    size_t i = 0;

    while (i < window.n_classes && window.classes[i].class_b != class_b)
        i++;
    if (i == MOST_CLASSES)
        abort();
    if (i == window.n_classes)
        window.classes[window.n_classes++].class_b = class_b;
    window.classes[i].allocs++;
}

static void count_alloc(size_t asked_b, int flags)
{
    size_t granted_b = nallocx(asked_b > 0 ? asked_b : 1, flags);

    pthread_mutex_lock(&lock);
    if (window.open) {
        window.one_thread &= pthread_equal(window.opener, pthread_self()) != 0;
        window.allocs++;
        window.asked_b += asked_b;
        window.granted_b += granted_b;
        window.live_b += (int64_t) granted_b;
        if (window.live_b > window.peak_b)
            window.peak_b = window.live_b;
        count_class(granted_b);
    }
    pthread_mutex_unlock(&lock);
}

static void count_free(size_t granted_b)
{
    pthread_mutex_lock(&lock);
    if (window.open) {
        window.one_thread &= pthread_equal(window.opener, pthread_self()) != 0;
        window.frees++;
        window.live_b -= (int64_t) granted_b;
    }
    pthread_mutex_unlock(&lock);
}

static void *counted(void *p, size_t asked_b, int flags)
{
    if (p != NULL)
        count_alloc(asked_b, flags);
    return p;
}

void *malloc(size_t size)
{
    return found_all() ? counted(real.malloc(size), size, 0) : early_alloc(size);
}

void *calloc(size_t n, size_t size)
{
    return found_all() ? counted(real.calloc(n, size), n * size, 0) : early_alloc(n * size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    need_all();
    return counted(real.aligned_alloc(alignment, size), size, MALLOCX_ALIGN(alignment));
}

void *memalign(size_t alignment, size_t size)
{
    need_all();
    return counted(real.memalign(alignment, size), size, MALLOCX_ALIGN(alignment));
}

void *valloc(size_t size)
{
    need_all();
    return counted(real.valloc(size), size, MALLOCX_ALIGN((size_t) sysconf(_SC_PAGESIZE)));
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    need_all();
    int err = real.posix_memalign(p, alignment, size);

    if (err == 0)
        count_alloc(size, MALLOCX_ALIGN(alignment));
    return err;
}

void free(void *p)
{
    if (p == NULL || is_early(p))
        return;
    need_all();
    count_free(malloc_usable_size(p));
    real.free(p);
}

void *realloc(void *p, size_t size)
{
    need_all();
    if (p == NULL)
        return counted(real.realloc(NULL, size), size, 0);

    size_t old_b = malloc_usable_size(p);
    void *moved = real.realloc(p, size);
    if (moved == NULL && size == 0)
        count_free(old_b);
    if (moved == NULL || nallocx(size > 0 ? size : 1, 0) == old_b)
        return moved;
    if (moved == p)
        count_free(old_b); /* in place: the two never live at once */
    count_alloc(size, 0);
    if (moved != p)
        count_free(old_b);
    return moved;
}

static void open_window(void)
{
    pthread_mutex_lock(&lock);
    memset(&window, 0, sizeof(window));
    window.open = window.one_thread = true;
    window.opener = pthread_self();
    pthread_mutex_unlock(&lock);
}

static void append(char *line, size_t cap, size_t *at, const char *format, uint64_t a, uint64_t b)
{
    int n = snprintf(line + *at, cap - *at, format, a, b);

    if (n < 0 || (size_t) n >= cap - *at)
        abort();
    *at += (size_t) n;
}

static void close_window(void)
{
    static char line[32768];
    const char *path = getenv("AMPERSAND_ORACLE");
    size_t at = 0;

    pthread_mutex_lock(&lock);
    window.open = false;
    append(line, sizeof(line), &at, "{\"allocs\": %" PRIu64 ", \"frees\": %" PRIu64, window.allocs, window.frees);
    append(line, sizeof(line), &at, ", \"asked_b\": %" PRIu64 ", \"granted_b\": %" PRIu64, window.asked_b,
           window.granted_b);
    append(line, sizeof(line), &at, ", \"peak_b\": %" PRIu64 ", \"classes\": {", (uint64_t) window.peak_b, 0);
    for (size_t i = 0; i < window.n_classes; i++)
        append(line, sizeof(line), &at, i == 0 ? "\"%" PRIu64 "\": %" PRIu64 : ", \"%" PRIu64 "\": %" PRIu64,
               window.classes[i].class_b, window.classes[i].allocs);
    append(line, sizeof(line), &at, window.one_thread ? "}, \"one_thread\": true}\n" : "}, \"one_thread\": false}\n", 0,
           0);
    pthread_mutex_unlock(&lock);
    int file = open(path != NULL ? path : "/dev/stderr", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, line, at) != (ssize_t) at)
        abort();
    close(file);
}

int mallctl(const char *name, void *oldp, size_t *oldlenp, void *newp, size_t newlen)
{
    need_all();
    if (strcmp(name, "experimental.hooks.remove") == 0)
        close_window();
    int err = real.mallctl(name, oldp, oldlenp, newp, newlen);
    if (err == 0 && strcmp(name, "experimental.hooks.install") == 0)
        open_window();
    return err;
}
