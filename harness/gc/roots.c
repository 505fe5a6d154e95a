/* SPDX-License-Identifier: MIT
 *
 * Where marking begins: registered roots, and for each mutator
 *
 *   growable stack      from the stack pointer, where the check or amp_stack_call() left it, to its top
 *   host stack          from the safe point to the base of its thread: what amp_stack_call() runs may hold pointers,
 *                       and saves registers of the growable functions there
 *   registers           that a function must keep: noted in the mutator at the safe point
 *   result              once it has ended, until it is joined
 *
 * A mutator scans its own stack, at its safe point; while it is away, another thread does. */
#include "harness/gc/state.h"

void amp_gc_each_range(struct amp_gc_mutator *mutator, void (*fn)(void *arg, uintptr_t from, uintptr_t to), void *arg)
{
    uintptr_t low = 0, top = 0;

    fn(arg, (uintptr_t) &mutator->result, (uintptr_t) (&mutator->result + 1));
    if (AMP_GC_LOAD(&mutator->state) == AMP_GC_ENDED)
        return;
    if (mutator->stack)
        amp_stack_in_use(mutator->stack, &low, &top);
    fn(arg, low, top);
    fn(arg, mutator->host_sp, mutator->host_base);
    fn(arg, (uintptr_t) mutator->saved, (uintptr_t) (mutator->saved + AMP_GC_SAVED));
    fn(arg, (uintptr_t) &mutator->arg, (uintptr_t) (&mutator->arg + 1));
}

static void scan_range(void *arg, uintptr_t from, uintptr_t to)
{
    struct amp_gc_marker *marker = arg;

    amp_gc_shade_words(marker, from, to);
    marker->counts.stacks_b += to - from;
    marker->counts.scanned_b += to - from;
}

void amp_gc_scan_stack(struct amp_gc_marker *marker, struct amp_gc_mutator *mutator)
{
    amp_gc_each_range(mutator, scan_range, marker);
}

bool amp_gc_scan_away(struct amp_gc_marker *marker)
{
    struct amp_gc *gc = marker->gc;
    struct amp_gc_mutator *mutator;

    pthread_mutex_lock(&gc->lock);
    for (mutator = gc->mutators; mutator; mutator = mutator->next)
        if (mutator->state == AMP_GC_AWAY && !mutator->scanned && !mutator->scanning)
            break;
    if (mutator)
        mutator->scanning = marker;
    pthread_mutex_unlock(&gc->lock);
    if (!mutator)
        return false;
    amp_gc_scan_stack(marker, mutator);
    pthread_mutex_lock(&gc->lock);
    mutator->scanning = NULL;
    mutator->scanned = true;
    __atomic_sub_fetch(&gc->unscanned, 1, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&gc->go);
    pthread_mutex_unlock(&gc->lock);
    return true;
}

bool amp_gc_scan_roots(struct amp_gc_marker *marker)
{
    struct amp_gc *gc = marker->gc;

    if (__atomic_exchange_n(&gc->roots_taken, true, __ATOMIC_ACQ_REL))
        return false;
    for (size_t i = 0; i < gc->n_roots; i++) {
        amp_gc_shade_words(marker, gc->roots[i].at, gc->roots[i].at + 8 * gc->roots[i].words);
        marker->counts.roots_b += 8 * gc->roots[i].words;
        marker->counts.scanned_b += 8 * gc->roots[i].words;
    }
    AMP_GC_STORE(&gc->roots_done, true);
    return true;
}
