/* SPDX-License-Identifier: MIT
 *
 * Which span a mutator allocates from next: one of its kind with free slots, one that is to be swept, a new one. */
#include "harness/gc/state.h"

#include <stdlib.h>
#include <string.h>

static uint64_t no_slot = ~(uint64_t) 0;

void amp_gc_list(struct amp_gc_spans *list, struct amp_gc_span *span)
{
    span->next = list->first;
    list->first = span;
    if (!span->next)
        list->last = span;
}

struct amp_gc_span *amp_gc_unlist(struct amp_gc_spans *list)
{
    struct amp_gc_span *span = list->first;

    if (span)
        list->first = span->next;
    return span;
}

static void append(struct amp_gc_spans *list, struct amp_gc_spans *more)
{
    if (!more->first)
        return;
    if (list->first)
        list->last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    more->first = NULL;
}

static uint32_t taken_slots(const struct amp_gc_span *span)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < span->words; i++)
        n += (uint32_t) __builtin_popcountll(__atomic_load_n(&span->allocs[i], __ATOMIC_RELAXED));
    return n - (64 * span->words - span->n);
}

/* ---- Kinds */

struct amp_gc_kind *amp_gc_kind_of(struct amp_gc *gc, unsigned type, size_t size_b)
{
    const bool large = size_b > AMP_GC_SMALL_B;
    const unsigned class_ = large ? 0 : amp_gc_class_of(size_b);
    struct amp_gc_kind *kind;

    for (unsigned i = 0; i < gc->n_kinds; i++)
        if (gc->kinds[i]->type_id == type && gc->kinds[i]->class_ == class_ && (gc->kinds[i]->size_b == 0) == large)
            return gc->kinds[i];
    kind = gc->n_kinds < AMP_GC_KINDS ? calloc(1, sizeof *kind) : NULL;
    if (!kind)
        return NULL;
    kind->id = gc->n_kinds;
    kind->type_id = type;
    kind->layout = &gc->layouts[type];
    kind->class_ = class_;
    kind->size_b = large ? 0 : amp_gc_class_size(class_);
    gc->kinds[gc->n_kinds++] = kind;
    return kind;
}

struct amp_gc_bin *amp_gc_bin_of(struct amp_gc_mutator *m, unsigned type, size_t size_b)
{
    struct amp_gc_kind *kind;
    struct amp_gc_bin *bin;

    pthread_mutex_lock(&m->gc->heap_lock);
    kind = amp_gc_kind_of(m->gc, type, size_b);
    pthread_mutex_unlock(&m->gc->heap_lock);
    if (!kind)
        return NULL;
    bin = m->bins[kind->id];
    if (!bin) {
        bin = calloc(1, sizeof *bin);
        if (!bin)
            return NULL;
        bin->word = &no_slot;
        bin->size_b = kind->size_b;
        bin->kind = kind;
        m->bins[kind->id] = bin;
    }
    return bin;
}

/* ---- Spans of a mutator */

/* Returns how many bytes of it were never allocated. */
static size_t release(struct amp_gc *gc, struct amp_gc_bin *bin)
{
    struct amp_gc_span *span = bin->span;
    uint32_t taken = taken_slots(span);

    gc->allocated_objects += taken - span->taken;
    gc->allocated_b += (taken - span->taken) * span->size_b;
    amp_gc_list(taken < span->n ? &bin->kind->partial : &bin->kind->full, span);
    bin->span = NULL;
    bin->word = &no_slot;
    return (span->n - taken) * span->size_b;
}

size_t amp_gc_bins_release(struct amp_gc_mutator *m)
{
    size_t free_b = 0;

    for (struct amp_gc_bin *bin = m->holding, *next; bin; bin = next) {
        next = bin->next;
        free_b += release(m->gc, bin);
    }
    m->holding = NULL;
    return free_b;
}

static void hold(struct amp_gc_mutator *m, struct amp_gc_bin *bin, struct amp_gc_span *span)
{
    struct amp_gc *gc = m->gc;

    span->taken = taken_slots(span);
    AMP_GC_STORE(&gc->heap_b, gc->heap_b + (span->n - span->taken) * span->size_b);
    if (gc->heap_b > gc->peak_heap_b)
        gc->peak_heap_b = gc->heap_b;
    bin->span = span;
    bin->word = span->allocs;
    bin->mark = span->marks;
    bin->base = span->base;
    bin->clear = !span->fresh;
    bin->next = m->holding;
    m->holding = bin;
}

static void let_go(struct amp_gc_mutator *m, struct amp_gc_bin *bin)
{
    struct amp_gc_bin **at = &m->holding;

    while (*at != bin)
        at = &(*at)->next;
    *at = bin->next;
    release(m->gc, bin);
}

int amp_gc_refill(struct amp_gc_mutator *m, struct amp_gc_bin *bin)
{
    struct amp_gc *gc = m->gc;
    struct amp_gc_span *span;
    bool more = true;

    pthread_mutex_lock(&gc->heap_lock);
    if (bin->span)
        let_go(m, bin);
    while (!(span = amp_gc_unlist(&bin->kind->partial)) && more) {
        pthread_mutex_unlock(&gc->heap_lock);
        more = amp_gc_sweep_some(gc, bin->kind);
        pthread_mutex_lock(&gc->heap_lock);
    }
    if (!span)
        span = amp_gc_span_new(gc, bin->kind, 0);
    if (span)
        hold(m, bin, span);
    pthread_mutex_unlock(&gc->heap_lock);
    return span ? 0 : -1;
}

struct amp_gc_span *amp_gc_large(struct amp_gc_mutator *m, unsigned type, size_t size_b)
{
    struct amp_gc *gc = m->gc;
    struct amp_gc_kind *kind;
    struct amp_gc_span *span;

    pthread_mutex_lock(&gc->heap_lock);
    kind = amp_gc_kind_of(gc, type, size_b);
    span = kind ? amp_gc_span_new(gc, kind, size_b) : NULL;
    if (span) {
        AMP_GC_STORE(&gc->heap_b, gc->heap_b + span->size_b);
        if (gc->heap_b > gc->peak_heap_b)
            gc->peak_heap_b = gc->heap_b;
        gc->allocated_objects++;
        gc->allocated_b += span->size_b;
        amp_gc_show(span->base, span->size_b);
    }
    pthread_mutex_unlock(&gc->heap_lock);
    if (!span)
        return NULL;
    if (!span->fresh)
        memset((void *) span->base, 0, span->size_b);
    if (m->marking)
        amp_gc_black(m, span->marks, 0, span->size_b);
    __atomic_store_n(&span->allocs[0], ~(uint64_t) 0, __ATOMIC_RELEASE);
    pthread_mutex_lock(&gc->heap_lock); /* listed only now: a stop before this finds no half of an object */
    amp_gc_list(&kind->full, span);
    pthread_mutex_unlock(&gc->heap_lock);
    return span;
}

void amp_gc_unsweep(struct amp_gc *gc)
{
    pthread_mutex_lock(&gc->heap_lock);
    for (unsigned i = 0; i < gc->n_kinds; i++) {
        append(&gc->kinds[i]->unswept, &gc->kinds[i]->partial);
        append(&gc->kinds[i]->unswept, &gc->kinds[i]->full);
    }
    AMP_GC_STORE(&gc->unswept, gc->spans);
    pthread_mutex_unlock(&gc->heap_lock);
}
