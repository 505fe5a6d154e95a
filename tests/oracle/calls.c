/* SPDX-License-Identifier: MIT */
#include "tests/oracle/calls.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MiB ((size_t) 1 << 20)

/* Sizes come from here, and results go there, so that no compiler knows enough to delete a call. */
static volatile size_t too_much = PTRDIFF_MAX;
static volatile size_t zero;

static void *keep(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static void expect(bool true_here)
{
    if (!true_here)
        abort();
}

static void call_nothing(void)
{
}

static void call_malloc(void)
{
    free(keep(malloc(24)));
}

static void call_malloc_zero(void)
{
    free(keep(malloc(zero)));
}

static void call_malloc_large(void)
{
    free(keep(malloc(20000)));
}

static void call_malloc_huge(void)
{
    free(keep(malloc(5 * MiB)));
}

static void call_malloc_failing(void)
{
    expect(keep(malloc(too_much)) == NULL);
}

static void call_malloc_thousand(void)
{
    for (int i = 0; i < 1000; i++)
        free(keep(malloc(24)));
}

static void call_malloc_thousand_at_once(void)
{
    void *p[1000];

    for (int i = 0; i < 1000; i++)
        p[i] = keep(malloc(24));
    for (int i = 0; i < 1000; i++)
        free(p[i]);
}

static void call_calloc(void)
{
    free(keep(calloc(7, 11)));
}

static void call_calloc_overflow(void)
{
    expect(keep(calloc(too_much, 4)) == NULL);
}

static void call_aligned_alloc(void)
{
    free(keep(aligned_alloc(64, 192)));
}

static void call_aligned_alloc_failing(void)
{
    expect(keep(aligned_alloc(64, too_much / 64 * 64)) == NULL);
}

static void call_posix_memalign(void)
{
    void *p;

    expect(posix_memalign(&p, 128, 200) == 0);
    free(keep(p));
}

static void call_posix_memalign_failing(void)
{
    void *p = keep(&p); /* stays, and is no allocation */

    expect(posix_memalign(&p, 3 + zero, 200) != 0);
}

static void call_memalign(void)
{
    free(keep(memalign(32, 100)));
}

static void call_valloc(void)
{
    free(keep(valloc(100)));
}

static void call_realloc_null(void)
{
    free(keep(realloc(keep(NULL), 100)));
}

static void call_realloc_null_zero(void)
{
    free(keep(realloc(keep(NULL), zero)));
}

static void call_realloc_within_class(void)
{
    free(keep(realloc(keep(malloc(20)), 30)));
}

static void call_realloc_grown(void)
{
    free(keep(realloc(keep(malloc(20)), 100)));
}

static void call_realloc_shrunk(void)
{
    free(keep(realloc(keep(malloc(100)), 20)));
}

static void call_realloc_to_large(void)
{
    free(keep(realloc(keep(malloc(100)), 20000)));
}

static void call_realloc_large_within_class(void)
{
    free(keep(realloc(keep(malloc(1000000)), 1040000)));
}

/* Shrunk, and grown into what that left behind it: never moved. */
static void call_realloc_large_in_place(void)
{
    char *p = keep(malloc(5 * MiB)), *shrunk = keep(realloc(p, 4 * MiB));

    expect(shrunk == p);
    p = keep(realloc(shrunk, 5 * MiB));
    expect(p == shrunk);
    free(p);
}

static void call_realloc_zero(void)
{
    expect(keep(realloc(keep(malloc(50)), zero)) == NULL);
}

static void call_realloc_failing(void)
{
    void *p = keep(malloc(24));

    expect(keep(realloc(p, too_much)) == NULL);
    free(p);
}

static void call_reallocarray(void)
{
    free(keep(reallocarray(keep(reallocarray(keep(NULL), 5, 9)), 50, 9)));
}

static void call_reallocarray_overflow(void)
{
    expect(keep(reallocarray(keep(NULL), too_much, 4)) == NULL);
}

static void call_free_null(void)
{
    free(keep(NULL));
}

static void call_strdup(void)
{
    free(keep(strdup(keep("0123456789"))));
}

static void call_asprintf(void)
{
    char *text;

    expect(asprintf(&text, "%zu and some more", zero) > 0);
    free(keep(text));
}

/* On a stack so small that libc keeps it for the next thread, whatever `ulimit -s` says: a stack that it gives back and
 * makes anew is an allocation of libc's. */
static pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    expect(pthread_attr_setstacksize(&attributes, MiB) == 0);
    expect(pthread_create(&thread, &attributes, run, argument) == 0);
    pthread_attr_destroy(&attributes);
    return thread;
}

#define MOST_THREADS 4
#define EACH 100

static pthread_barrier_t all_allocated;

/* All live at once before the first is freed, so that the peak is one number. */
static void *thread_allocates(void *unused)
{
    void *p[EACH];

    for (int i = 0; i < EACH; i++)
        p[i] = keep(malloc(48));
    pthread_barrier_wait(&all_allocated);
    for (int i = 0; i < EACH; i++)
        free(p[i]);
    return unused;
}

static void start_and_join(unsigned n)
{
    pthread_t threads[MOST_THREADS];

    pthread_barrier_init(&all_allocated, NULL, n);
    for (unsigned i = 0; i < n; i++)
        threads[i] = start(thread_allocates, NULL);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_allocated);
}

static void call_one_thread(void)
{
    start_and_join(1);
}

static void call_two_threads(void)
{
    start_and_join(2);
}

static void call_four_threads(void)
{
    start_and_join(4);
}

static void *thread_hands_over(void *unused)
{
    (void) unused;
    return keep(malloc(48));
}

static void call_thread_hands_over(void)
{
    void *p;

    pthread_join(start(thread_hands_over, NULL), &p);
    free(p);
}

static void *thread_only_frees(void *p)
{
    free(p);
    return NULL;
}

static void call_thread_frees(void)
{
    pthread_join(start(thread_only_frees, keep(malloc(48))), NULL);
}

/* A stack that is not one of those that libc keeps: it allocates the thread's dynamic thread vector anew. */
static void call_thread_fresh_stack(void)
{
    size_t stack_b = MiB;
    void *stack = mmap(NULL, stack_b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_t thread;
    void *p;

    expect(stack != MAP_FAILED);
    pthread_attr_init(&attributes);
    expect(pthread_attr_setstack(&attributes, stack, stack_b) == 0);
    expect(pthread_create(&thread, &attributes, thread_hands_over, NULL) == 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, &p);
    free(p);
    munmap(stack, stack_b);
}

#define SEES_FAILURES "it gives up, or counts calls that fail"
#define SEES_REALLOCS "it counts every realloc"

/* Sizes are granted as jemalloc 5 has its classes: 8 16 32 48 64 80 96 112 128 160 ..., four to each doubling. */
const struct call calls[] = {
    { "nothing", call_nothing, .counts = { 0, 0, 0, 0, 0 } },
    { "malloc", call_malloc, .counts = { 1, 1, 24, 32, 32 } },
    { "malloc of 0 bytes", call_malloc_zero, .counts = { 1, 1, 0, 8, 8 } },
    { "malloc large", call_malloc_large, .counts = { 1, 1, 20000, 20480, 20480 } },
    { "malloc huge", call_malloc_huge, .counts = { 1, 1, 5 * MiB, 5 * MiB, 5 * MiB } },
    { "malloc failing", call_malloc_failing, .counts = { 0, 0, 0, 0, 0 }, .valgrind_differs = SEES_FAILURES },
    { "malloc a thousand times", call_malloc_thousand, .counts = { 1000, 1000, 24000, 32000, 32 } },
    { "malloc a thousand at once", call_malloc_thousand_at_once, .counts = { 1000, 1000, 24000, 32000, 32000 } },
    { "calloc", call_calloc, .counts = { 1, 1, 77, 80, 80 } },
    { "calloc overflowing", call_calloc_overflow, .counts = { 0, 0, 0, 0, 0 }, .valgrind_differs = SEES_FAILURES },
    { "aligned_alloc", call_aligned_alloc, .counts = { 1, 1, 192, 192, 192 } },
    { "aligned_alloc failing", call_aligned_alloc_failing, .counts = { 0, 0, 0, 0, 0 },
      .valgrind_differs = SEES_FAILURES },
    { "posix_memalign", call_posix_memalign, .counts = { 1, 1, 200, 256, 256 } },
    { "posix_memalign failing", call_posix_memalign_failing, .counts = { 0, 0, 0, 0, 0 } },
    { "memalign", call_memalign, .counts = { 1, 1, 100, 128, 128 } },
    { "valloc", call_valloc, .counts = { 1, 1, 100, 4096, 4096 } },
    { "realloc of NULL", call_realloc_null, .counts = { 1, 1, 100, 112, 112 } },
    { "realloc of NULL to 0 bytes", call_realloc_null_zero, .counts = { 1, 1, 0, 8, 8 } },
    { "realloc within the class", call_realloc_within_class, .counts = { 1, 1, 20, 32, 32 },
      .valgrind_differs = SEES_REALLOCS },
    { "realloc to a larger class", call_realloc_grown, .counts = { 2, 2, 120, 144, 144 } },
    { "realloc to a smaller class", call_realloc_shrunk, .counts = { 2, 2, 120, 144, 144 } },
    { "realloc from small to large", call_realloc_to_large, .counts = { 2, 2, 20100, 20592, 20592 } },
    { "realloc large within the class", call_realloc_large_within_class, .counts = { 1, 1, 1000000, MiB, MiB },
      .valgrind_differs = SEES_REALLOCS },
    { "realloc large in place", call_realloc_large_in_place, .counts = { 3, 3, 14 * MiB, 14 * MiB, 5 * MiB },
      .valgrind_differs = "its own realloc always moves" },
    { "realloc to 0 bytes", call_realloc_zero, .counts = { 1, 1, 50, 64, 64 }, .valgrind_differs = SEES_REALLOCS },
    { "realloc failing", call_realloc_failing, .counts = { 1, 1, 24, 32, 32 }, .valgrind_differs = SEES_FAILURES },
    { "reallocarray", call_reallocarray, .counts = { 2, 2, 495, 560, 560 } },
    { "reallocarray overflowing", call_reallocarray_overflow, .counts = { 0, 0, 0, 0, 0 } },
    { "free of NULL", call_free_null, .counts = { 0, 0, 0, 0, 0 } },
    { "strdup", call_strdup, .counts = { 1, 1, 11, 16, 16 } },
    { "asprintf", call_asprintf, .libc = true },
    { "1 thread", call_one_thread, .counts = { 100, 100, 4800, 4800, 4800 }, .threads = 1 },
    { "2 threads", call_two_threads, .counts = { 200, 200, 9600, 9600, 9600 }, .threads = 2 },
    { "4 threads", call_four_threads, .counts = { 400, 400, 19200, 19200, 19200 }, .threads = 4 },
    { "a thread allocates, another frees", call_thread_hands_over, .counts = { 1, 1, 48, 48, 48 }, .threads = 1 },
    { "a thread that only frees", call_thread_frees, .counts = { 1, 1, 48, 48, 48 }, .threads = 1 },
    { "a thread on a fresh stack", call_thread_fresh_stack, .threads = 1, .libc = true },
};
const size_t n_calls = sizeof(calls) / sizeof(calls[0]);

const struct call *call_by_name(const char *name)
{
    for (size_t i = 0; i < n_calls; i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    return NULL;
}
