/* SPDX-License-Identifier: MIT
 *
 * Pages of the heap: addresses are reserved once, taken from below, and given back to lists by the length of the run.
 *
 *   base [ span ][ span ][ free run of 3    ][ span ] ... top [ never used: zero                         ] end
 *                         ^ length   length ^               its first and last page know a free run's length
 *
 * Sizes of slots are multiples of 16 up to 128 B, then there are four to each doubling, up to 32 KiB. A span of small
 * slots has four pages, one of large slots room for eight. */
#include "harness/gc/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LEAST_B ((size_t) 16 << 20)
#define HUGE_B ((size_t) 2 << 20)
#define LISTS 64
#define AHEAD 16 /* the part of the goal that is ready beyond the last span */
#define NONE UINT32_MAX

struct run {
    uint32_t length; /* of the free run that begins or ends here; 0: none does */
    uint32_t before, after;
};

struct amp_gc_pages {
    struct run *runs; /* of each page */
    uint32_t top, end;
    size_t ready_b; /* cleared by the system, from the base on; of the worker */
    uint32_t lists[LISTS]; /* runs of n pages; in the last, of more */
    void *mapped;
    size_t mapped_b;
};

#define FINE_B ((size_t) 128)
#define FINE 8 /* classes up to there */

_Static_assert(FINE + 4 * 8 <= AMP_GC_CLASSES, "128 B to 32 KiB are eight doublings");

unsigned amp_gc_class_of(size_t size_b)
{
    unsigned doubling;

    if (size_b <= FINE_B)
        return size_b ? (unsigned) (size_b - 1) / 16 : 0;
    doubling = 63 - (unsigned) __builtin_clzl(size_b - 1); /* 2^doubling < size_b <= 2^(doubling + 1) */
    return FINE + 4 * (doubling - 7) + (unsigned) ((size_b - 1) >> (doubling - 2) & 3);
}

size_t amp_gc_class_size(unsigned class_)
{
    const unsigned above = class_ - FINE;

    return class_ < FINE ? 16 * (size_t) (class_ + 1)
                         : (FINE_B << above / 4) + (size_t) (above % 4 + 1) * (32UL << above / 4);
}

size_t amp_gc_class_pages(unsigned class_)
{
    const size_t size_b = amp_gc_class_size(class_);

    return size_b <= AMP_GC_PAGE_B / 2 ? 4 : 8 * size_b / AMP_GC_PAGE_B;
}

/* ---- Addresses */

static void *map(size_t size_b)
{
    void *at = mmap(NULL, size_b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

/* The heap, and behind it the tables of its pages, in one mapping. */
static int reserve(struct amp_gc *gc, size_t size_b)
{
    const size_t pages = size_b / AMP_GC_PAGE_B;
    const size_t tables_b = pages * (sizeof *gc->map + sizeof(struct run));
    char *at = map(size_b + HUGE_B + tables_b);

    if (!at)
        return -ENOMEM;
    gc->pages->mapped = at;
    gc->pages->mapped_b = size_b + HUGE_B + tables_b;
    gc->base = ((uintptr_t) at + HUGE_B - 1) / HUGE_B * HUGE_B;
    gc->reserved_b = size_b;
    gc->map = (struct amp_gc_span **) (gc->base + size_b);
    gc->pages->runs = (struct run *) (void *) (gc->map + pages);
    gc->pages->end = (uint32_t) pages;
#ifdef MADV_HUGEPAGE
    madvise((void *) gc->base, size_b, MADV_HUGEPAGE); /* marking touches pages in no order */
#endif
#ifdef MADV_DONTDUMP
    madvise(at, gc->pages->mapped_b, MADV_DONTDUMP);
#endif
    return 0;
}

int amp_gc_pages_reserve(struct amp_gc *gc)
{
    size_t size_b = gc->limits.reserve_b ? gc->limits.reserve_b : (size_t) 64 << 30;
    int error;

    gc->pages = calloc(1, sizeof *gc->pages);
    if (!gc->pages)
        return -ENOMEM;
    memset(gc->pages->lists, 0xff, sizeof gc->pages->lists);
    size_b = (size_b + AMP_GC_PAGE_B - 1) / AMP_GC_PAGE_B * AMP_GC_PAGE_B;
    while ((error = reserve(gc, size_b)) != 0 && !gc->limits.reserve_b && size_b > LEAST_B)
        size_b /= 2;
    if (error) {
        free(gc->pages);
        gc->pages = NULL;
    }
    return error;
}

void amp_gc_pages_release(struct amp_gc *gc)
{
    for (size_t page = 0, n; gc->pages && page < gc->pages->top; page += n) {
        n = gc->map[page] ? gc->map[page]->pages : 1;
        free(gc->map[page]);
    }
    if (gc->pages) {
        amp_gc_show(gc->base, gc->pages->top * AMP_GC_PAGE_B);
        munmap(gc->pages->mapped, gc->pages->mapped_b);
    }
    free(gc->pages);
}

size_t amp_gc_pages_used(const struct amp_gc *gc)
{
    return gc->pages->top;
}

/* What the heap will have touched when it reaches its goal; and a part of that beyond what it has touched, since spans
 * that are not full take more. */
void amp_gc_pages_prepare(struct amp_gc *gc)
{
#ifdef MADV_POPULATE_WRITE
    struct amp_gc_pages *pages = gc->pages;
    size_t from_b, to_b;

    pthread_mutex_lock(&gc->heap_lock);
    from_b = (size_t) pages->top * AMP_GC_PAGE_B;
    to_b = gc->pace.goal_b;
    if (!gc->limits.heap_b && to_b < from_b + to_b / AHEAD)
        to_b = from_b + to_b / AHEAD;
    to_b = to_b / HUGE_B * HUGE_B;
    pthread_mutex_unlock(&gc->heap_lock);
    from_b = (from_b > pages->ready_b ? from_b : pages->ready_b) / HUGE_B * HUGE_B;
    for (; from_b < to_b && to_b <= gc->reserved_b && !AMP_GC_LOAD(&gc->quit); from_b += HUGE_B)
        madvise((void *) (gc->base + from_b), HUGE_B, MADV_POPULATE_WRITE);
    if (from_b > pages->ready_b)
        pages->ready_b = from_b;
#else
    (void) gc;
#endif
}

/* ---- Runs of free pages */

static uint32_t *list_of(struct amp_gc_pages *pages, uint32_t length)
{
    return &pages->lists[length < LISTS ? length - 1 : LISTS - 1];
}

static void insert(struct amp_gc_pages *pages, uint32_t at, uint32_t length)
{
    uint32_t *list = list_of(pages, length);

    pages->runs[at] = (struct run){ .length = length, .before = NONE, .after = *list };
    pages->runs[at + length - 1].length = length;
    if (*list != NONE)
        pages->runs[*list].before = at;
    *list = at;
}

static void take_out(struct amp_gc_pages *pages, uint32_t at)
{
    const struct run run = pages->runs[at];

    if (run.before == NONE)
        *list_of(pages, run.length) = run.after;
    else
        pages->runs[run.before].after = run.after;
    if (run.after != NONE)
        pages->runs[run.after].before = run.before;
    pages->runs[at].length = pages->runs[at + run.length - 1].length = 0;
}

/* The first page of a run of so many, NONE if there is none. */
static uint32_t take(struct amp_gc_pages *pages, uint32_t n, bool *fresh)
{
    uint32_t at = NONE, length;

    *fresh = false;
    for (uint32_t *list = list_of(pages, n); at == NONE && list < pages->lists + LISTS; list++)
        for (at = *list; at != NONE && pages->runs[at].length < n;)
            at = pages->runs[at].after;
    if (at != NONE) {
        length = pages->runs[at].length;
        take_out(pages, at);
        if (length > n)
            insert(pages, at + n, length - n);
        return at;
    }
    if (pages->end - pages->top < n)
        return NONE;
    *fresh = true;
    pages->top += n;
    return pages->top - n;
}

static void give(struct amp_gc_pages *pages, uint32_t at, uint32_t n)
{
    if (at > 0 && pages->runs[at - 1].length > 0) {
        const uint32_t before = pages->runs[at - 1].length;

        take_out(pages, at - before);
        at -= before;
        n += before;
    }
    if (at + n < pages->top && pages->runs[at + n].length > 0) {
        const uint32_t after = pages->runs[at + n].length;

        take_out(pages, at + n);
        n += after;
    }
    insert(pages, at, n);
}

/* ---- Spans */

static struct amp_gc_span *describe(struct amp_gc_kind *kind, size_t size_b, uint32_t n, size_t pages)
{
    const uint32_t words = (n + 63) / 64;
    const size_t total_b = (sizeof(struct amp_gc_span) + 2 * words * sizeof(uint64_t) + 63) / 64 * 64;
    struct amp_gc_span *span = aligned_alloc(64, total_b);

    if (!span)
        return NULL;
    memset(span, 0, total_b);
    span->size_b = size_b;
    span->n = n;
    span->magic = n > 1 ? (((uint64_t) 1 << 40) + size_b - 1) / size_b : 0;
    span->kind = kind;
    span->layout = kind->layout;
    span->words = words;
    span->allocs = span->marks + words;
    span->pages = pages;
    if (n % 64)
        span->allocs[words - 1] = ~(uint64_t) 0 << n % 64;
    return span;
}

struct amp_gc_span *amp_gc_span_new(struct amp_gc *gc, struct amp_gc_kind *kind, size_t size_b)
{
    const bool small = kind->size_b != 0;
    const size_t pages = small ? amp_gc_class_pages(kind->class_) : (size_b + AMP_GC_PAGE_B - 1) / AMP_GC_PAGE_B;
    const size_t slot_b = small ? kind->size_b : pages * AMP_GC_PAGE_B;
    struct amp_gc_span *span;
    uint32_t at;
    bool fresh;

    if (pages > gc->pages->end || (gc->limits.heap_b && gc->span_b + pages * AMP_GC_PAGE_B > gc->limits.heap_b))
        return NULL;
    span = describe(kind, slot_b, small ? (uint32_t) (pages * AMP_GC_PAGE_B / slot_b) : 1, pages);
    if (!span)
        return NULL;
    at = take(gc->pages, (uint32_t) pages, &fresh);
    if (at == NONE) {
        free(span);
        return NULL;
    }
    span->base = gc->base + at * AMP_GC_PAGE_B;
    span->fresh = fresh;
    if (gc->limits.modes & AMP_GC_POISON && !fresh)
        memset((void *) span->base, AMP_GC_POISON_BYTE, pages * AMP_GC_PAGE_B);
    amp_gc_hide(span->base, pages * AMP_GC_PAGE_B);
    for (uint32_t page = 0; page < pages; page++)
        AMP_GC_STORE(&gc->map[at + page], span);
    gc->spans++;
    gc->span_b += pages * AMP_GC_PAGE_B;
    if (gc->span_b > gc->peak_span_b)
        gc->peak_span_b = gc->span_b;
    return span;
}

void amp_gc_span_free(struct amp_gc *gc, struct amp_gc_span *span)
{
    const uint32_t at = (uint32_t) ((span->base - gc->base) / AMP_GC_PAGE_B);

    for (uint32_t page = 0; page < span->pages; page++)
        AMP_GC_STORE(&gc->map[at + page], NULL);
    give(gc->pages, at, (uint32_t) span->pages);
    gc->spans--;
    amp_gc_show(span->base, span->pages * AMP_GC_PAGE_B);
    gc->span_b -= span->pages * AMP_GC_PAGE_B;
    free(span);
}
