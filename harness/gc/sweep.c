/* SPDX-License-Identifier: MIT
 *
 * Sweeping: what is not marked is free. A span is swept by a mutator that needs slots of its kind, or by the worker;
 * all are swept before the next cycle begins. Only bits are touched, unless freed memory is to be poisoned. */
#include "harness/gc/state.h"

#include <sched.h>
#include <string.h>

static void poison(struct amp_gc *gc, struct amp_gc_span *span, uint32_t word, uint64_t slots)
{
    for (; slots; slots &= slots - 1) {
        const uintptr_t at = amp_gc_slot_at(span, 64 * word + (uint32_t) __builtin_ctzll(slots));

        amp_gc_show(at, span->size_b);
        if (gc->limits.modes & AMP_GC_POISON)
            memset((void *) at, AMP_GC_POISON_BYTE, span->size_b);
        amp_gc_hide(at, span->size_b);
    }
}

/* Returns how many slots were freed, and how many are in use. */
static uint32_t sweep(struct amp_gc *gc, struct amp_gc_span *span, uint32_t *live)
{
    const bool poisons = AMP_GC_ASAN || gc->limits.modes & AMP_GC_POISON;
    uint32_t freed = 0;

    *live = 0;
    for (uint32_t i = 0; i < span->words; i++) {
        const uint64_t beyond = i == span->words - 1 && span->n % 64 ? ~(uint64_t) 0 << span->n % 64 : 0;
        const uint64_t dead = span->allocs[i] & ~span->marks[i] & ~beyond;

        freed += (uint32_t) __builtin_popcountll(dead);
        *live += (uint32_t) __builtin_popcountll(span->marks[i]);
        if (poisons)
            poison(gc, span, i, span->fresh ? ~span->marks[i] & ~beyond : dead);
        span->allocs[i] = span->marks[i] | beyond;
        span->marks[i] = 0;
    }
    if (poisons || freed > 0)
        span->fresh = false;
    return freed;
}

static struct amp_gc_span *take(struct amp_gc *gc, struct amp_gc_kind *kind)
{
    if (kind)
        return amp_gc_unlist(&kind->unswept);
    for (unsigned i = 0; i < gc->n_kinds; i++)
        if (gc->kinds[i]->unswept.first)
            return amp_gc_unlist(&gc->kinds[i]->unswept);
    return NULL;
}

bool amp_gc_sweep_some(struct amp_gc *gc, struct amp_gc_kind *kind)
{
    struct amp_gc_span *span;
    uint32_t freed, live;

    if (AMP_GC_LOAD(&gc->unswept) == 0)
        return false;
    pthread_mutex_lock(&gc->heap_lock);
    span = take(gc, kind);
    if (span) {
        AMP_GC_STORE(&gc->sweeping, gc->sweeping + 1);
        AMP_GC_STORE(&gc->unswept, gc->unswept - 1);
    }
    pthread_mutex_unlock(&gc->heap_lock);
    if (!span)
        return false;
    freed = sweep(gc, span, &live);
    pthread_mutex_lock(&gc->heap_lock);
    AMP_GC_STORE(&gc->sweeping, gc->sweeping - 1);
    gc->freed_objects += freed;
    gc->freed_b += freed * span->size_b;
    if (live == 0)
        amp_gc_span_free(gc, span);
    else
        amp_gc_list(live < span->n ? &span->kind->partial : &span->kind->full, span);
    pthread_mutex_unlock(&gc->heap_lock);
    return true;
}

void amp_gc_sweep_all(struct amp_gc *gc)
{
    const uint64_t begin_ns = amp_gc_thread_ns();
    bool others;

    if (AMP_GC_LOAD(&gc->unswept) == 0 && AMP_GC_LOAD(&gc->sweeping) == 0)
        return;
    AMP_TRACE_BEGIN("gc: sweep");
    while (amp_gc_sweep_some(gc, NULL))
        ;
    AMP_TRACE_END("gc: sweep");
    AMP_GC_ADD(&gc->sweep_ns, amp_gc_thread_ns() - begin_ns);
    do { /* another thread may have one in hand */
        pthread_mutex_lock(&gc->heap_lock);
        others = gc->sweeping > 0;
        pthread_mutex_unlock(&gc->heap_lock);
        if (others)
            sched_yield();
    } while (others);
}
