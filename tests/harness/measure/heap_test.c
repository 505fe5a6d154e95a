/* SPDX-License-Identifier: MIT
 *
 * harness/measure/heap.c against known numbers, one row for each way to ask for memory, and against jemalloc's own
 * statistics, which come about in another way: stats.arenas.4096.*.nrequests after a flush and an epoch.
 * tests/oracle/oracle_test.py holds the same rows against a preloaded interposer and against valgrind. */
#include "harness/measure/heap.h"
#include "tests/oracle/calls.h"

#include <errno.h>
#include <jemalloc/jemalloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

/* Every test but those of the refusal needs jemalloc; that it is not there is an error anywhere else. */
static void need_jemalloc(void)
{
    const char *why = "";

    if (UNDER_ASAN) {
        print_message("skipped: malloc is AddressSanitizer's here, and heap.c refuses to count\n");
        skip();
    }
    if (amp_heap_available(&why) != 0)
        fail_msg("%s", why);
}

static void *keep(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static struct amp_heap count(void (*run)(void))
{
    struct amp_heap heap = { 0 };

    assert_int_equal(amp_heap_begin(), 0);
    run();
    assert_int_equal(amp_heap_end(&heap), 0);
    return heap;
}

static void check_classes(const struct amp_heap *heap)
{
    uint64_t allocs = 0, granted_b = 0;

    for (size_t i = 0; i < heap->n_classes; i++) {
        assert_true(heap->classes[i].allocs > 0);
        assert_true(i == 0 || heap->classes[i].class_b > heap->classes[i - 1].class_b);
        assert_int_equal(nallocx(heap->classes[i].class_b, 0), heap->classes[i].class_b);
        allocs += heap->classes[i].allocs;
        granted_b += heap->classes[i].allocs * heap->classes[i].class_b;
    }
    assert_int_equal(allocs, heap->allocs);
    assert_int_equal(granted_b, heap->granted_b);
}

static void counts_as_the_row_says(void **state)
{
    const struct call *call = *state;

    need_jemalloc();
    if (strcmp(call->name, "valloc") == 0 && sysconf(_SC_PAGESIZE) != 4096) {
        print_message("skipped: the row is for pages of 4096 bytes\n");
        skip();
    }
    call->run(); /* what only ever happens once, such as the first stack of a thread */
    for (int repetition = 0; repetition < 3; repetition++) {
        struct amp_heap heap = count(call->run);

        check_classes(&heap);
        assert_int_equal(heap.allocs, heap.frees);
        if (call->libc)
            continue;
        assert_int_equal(heap.allocs, call->counts.allocs);
        assert_int_equal(heap.frees, call->counts.frees);
        assert_int_equal(heap.asked_b, call->counts.asked_b);
        assert_int_equal(heap.granted_b, call->counts.granted_b);
        assert_int_equal(heap.peak_b, call->counts.peak_b);
    }
}

static uint64_t read_u64(const char *name)
{
    uint64_t value;
    size_t len = sizeof(value);

    if (mallctl(name, &value, &len, NULL, 0) != 0)
        fail_msg("mallctl cannot read %s", name);
    return value;
}

static uint64_t jemalloc_requests(void)
{
    uint64_t epoch = 1;

    assert_int_equal(mallctl("thread.tcache.flush", NULL, NULL, NULL, 0), 0);
    assert_int_equal(mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)), 0);
    return read_u64("stats.arenas.4096.small.nrequests") + read_u64("stats.arenas.4096.large.nrequests");
}

/* jemalloc's statistics also hold the cache that each allocating thread gets: exactly one request a thread. */
static void counts_as_jemalloc_does(void **state)
{
    const struct call *call = *state;

    need_jemalloc();
    call->run();
    uint64_t before = jemalloc_requests();
    struct amp_heap heap = count(call->run);
    assert_int_equal(jemalloc_requests() - before - call->threads, heap.allocs);
}

static void what_lived_before_is_freed_inside(void **state)
{
    struct amp_heap heap;
    void *p, *q;

    (void) state;
    need_jemalloc();
    p = keep(malloc(1000)); /* granted 1024 */
    assert_int_equal(amp_heap_begin(), 0);
    free(p);
    assert_int_equal(amp_heap_end(&heap), 0);
    assert_int_equal(heap.allocs, 0);
    assert_int_equal(heap.frees, 1);
    assert_int_equal(heap.peak_b, 0);
    assert_int_equal(heap.n_classes, 0);

    p = keep(malloc(1000));
    assert_int_equal(amp_heap_begin(), 0);
    free(p);
    p = keep(malloc(500)); /* 512: still below what lived at the begin */
    q = keep(malloc(600)); /* 640: 128 above it */
    free(q);
    assert_int_equal(amp_heap_end(&heap), 0);
    free(p);
    assert_int_equal(heap.allocs, 2);
    assert_int_equal(heap.frees, 2);
    assert_int_equal(heap.peak_b, 128);
}

static void what_is_made_inside_lives_on(void **state)
{
    struct amp_heap heap;
    void *p;

    (void) state;
    need_jemalloc();
    assert_int_equal(amp_heap_begin(), 0);
    p = keep(malloc(24));
    assert_int_equal(amp_heap_end(&heap), 0);
    assert_int_equal(heap.allocs, 1);
    assert_int_equal(heap.frees, 0);
    assert_int_equal(heap.peak_b, 32);
    assert_int_equal(amp_heap_begin(), 0);
    p = keep(realloc(p, 100));
    free(p);
    assert_int_equal(amp_heap_end(&heap), 0);
    assert_int_equal(heap.allocs, 1);
    assert_int_equal(heap.frees, 2);
    assert_int_equal(heap.asked_b, 100);
    assert_int_equal(heap.peak_b, 112);
}

static void nothing_between_windows_counts(void **state)
{
    (void) state;
    need_jemalloc();
    for (int i = 0; i < 1000; i++) { /* jemalloc has 4 places for hooks: each must be given back */
        struct amp_heap heap = count(call_by_name("malloc")->run);

        assert_int_equal(heap.allocs, 1);
        assert_int_equal(heap.peak_b, 32);
        free(keep(malloc(5000)));
    }
}

#define CONTENDERS 4
#define EACH 20000

static void *contend(void *unused)
{
    for (int i = 0; i < EACH; i++)
        free(keep(malloc(48)));
    return unused;
}

static void threads_at_once_lose_no_count(void **state)
{
    pthread_t threads[CONTENDERS];
    pthread_attr_t attributes;
    struct amp_heap heap;
    void *p;

    (void) state;
    need_jemalloc();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20); /* small enough that libc keeps each stack that it makes */
    assert_int_equal(amp_heap_begin(), 0);
    for (int i = 0; i < CONTENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], &attributes, contend, NULL), 0);
    for (int i = 0; i < CONTENDERS; i++)
        pthread_join(threads[i], NULL);
    p = keep(malloc(100000)); /* 114688, above whatever the threads reached: shows what is live now */
    free(p);
    assert_int_equal(amp_heap_end(&heap), 0);
    pthread_attr_destroy(&attributes);

    uint64_t libc = heap.allocs - CONTENDERS * EACH - 1; /* one for each thread whose stack is new */
    uint64_t libc_b = heap.granted_b - (uint64_t) CONTENDERS * EACH * 48 - 114688;
    assert_true(libc <= CONTENDERS);
    assert_int_equal(heap.allocs - heap.frees, libc);
    assert_int_equal(heap.peak_b, 114688 + libc_b);
}

static bool background_thread(const bool *set)
{
    bool was;
    size_t len = sizeof(was);

    assert_int_equal(mallctl("background_thread", &was, &len, (void *) (uintptr_t) set, set ? sizeof(*set) : 0), 0);
    return was;
}

static void jemallocs_own_threads_rest_meanwhile(void **state)
{
    const bool on = true, off = false;
    struct amp_heap heap;

    (void) state;
    need_jemalloc();
    assert_false(background_thread(&on));
    assert_int_equal(amp_heap_begin(), 0);
    assert_false(background_thread(NULL));
    assert_int_equal(amp_heap_end(&heap), 0);
    assert_int_equal(heap.allocs, 0);
    assert_true(background_thread(&off));
    assert_int_equal(amp_heap_begin(), 0);
    assert_int_equal(amp_heap_end(&heap), 0);
    assert_false(background_thread(NULL));
}

static void errno_stays(void **state)
{
    struct amp_heap heap;

    (void) state;
    need_jemalloc();
    assert_int_equal(amp_heap_begin(), 0);
    errno = EXDEV;
    void *p = keep(malloc(24));
    free(p);
    int seen = errno;
    assert_int_equal(amp_heap_end(&heap), 0);
    assert_int_equal(seen, EXDEV);
}

static void begins_and_ends_in_turn(void **state)
{
    struct amp_heap heap, untouched;

    (void) state;
    need_jemalloc();
    memset(&heap, 0x5a, sizeof(heap));
    untouched = heap;
    assert_int_equal(amp_heap_end(&heap), -EINVAL);
    assert_memory_equal(&heap, &untouched, sizeof(heap));
    assert_int_equal(amp_heap_begin(), 0);
    assert_int_equal(amp_heap_begin(), -EBUSY);
    free(keep(malloc(24)));
    assert_int_equal(amp_heap_end(&heap), 0);
    assert_int_equal(heap.allocs, 1); /* what was refused has not begun anew */
    assert_int_equal(amp_heap_end(&heap), -EINVAL);
}

static void refuses_anothers_malloc(void **state)
{
    struct amp_heap heap, untouched;
    const char *why = NULL;

    (void) state;
    if (!UNDER_ASAN) {
        print_message("skipped: malloc is jemalloc's here; oracle_test.py preloads another one\n");
        skip();
    }
    memset(&heap, 0x5a, sizeof(heap));
    untouched = heap;
    assert_int_equal(amp_heap_available(&why), -ENOTSUP);
    assert_non_null(strstr(why, "not of jemalloc"));
    assert_int_equal(amp_heap_begin(), -ENOTSUP);
    assert_int_equal(amp_heap_end(&heap), -EINVAL);
    assert_memory_equal(&heap, &untouched, sizeof(heap));
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(what_lived_before_is_freed_inside),
        cmocka_unit_test(what_is_made_inside_lives_on),
        cmocka_unit_test(nothing_between_windows_counts),
        cmocka_unit_test(threads_at_once_lose_no_count),
        cmocka_unit_test(jemallocs_own_threads_rest_meanwhile),
        cmocka_unit_test(errno_stays),
        cmocka_unit_test(begins_and_ends_in_turn),
        cmocka_unit_test(refuses_anothers_malloc),
    };
    struct CMUnitTest rows[64], statistics[64];
    int failed;

    if (n_calls > sizeof(rows) / sizeof(rows[0]))
        return 1;
    for (size_t i = 0; i < n_calls; i++) {
        void *row = (void *) (uintptr_t) &calls[i];

        rows[i] = (struct CMUnitTest){ calls[i].name, counts_as_the_row_says, NULL, NULL, row };
        statistics[i] = (struct CMUnitTest){ calls[i].name, counts_as_jemalloc_does, NULL, NULL, row };
    }
    failed = _cmocka_run_group_tests("counts", rows, n_calls, NULL, NULL);
    failed += _cmocka_run_group_tests("counts against jemalloc's statistics", statistics, n_calls, NULL, NULL);
    failed += cmocka_run_group_tests(others, NULL, NULL);
    return failed != 0;
}
