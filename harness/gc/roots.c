/* SPDX-License-Identifier: MIT
 *
 * Where marking begins: registered roots, and for each mutator
 *
 *   growable stacks     its own and those registered with it: from the stack pointer, where the check,
 *                       amp_stack_call() or amp_stack_yield() left it, to the top
 *   host stack          from the safe point to the base of its thread: what amp_stack_call() runs may hold pointers,
 *                       and saves registers of the growable functions there
 *   registers           that a function must keep: noted in the mutator at the safe point
 *   result              once it has ended, until it is joined
 *
 * A mutator scans its own stack, at its safe point; while it is away, another thread does. */
#include "harness/gc/state.h"

#include <errno.h>
#include <stdlib.h>

typedef void range_fn(void *arg, uintptr_t from, uintptr_t to);

static void each_of_stack(struct amp_stack *stack, range_fn *fn, void *arg)
{
    uintptr_t low, top, begins_with = (uintptr_t) amp_stack_argument(stack);

    amp_stack_in_use(stack, &low, &top);
    fn(arg, low, top);
    fn(arg, (uintptr_t) &begins_with, (uintptr_t) (&begins_with + 1));
}

void amp_gc_each_range(struct amp_gc_mutator *mutator, void (*fn)(void *arg, uintptr_t from, uintptr_t to), void *arg)
{
    fn(arg, (uintptr_t) &mutator->result, (uintptr_t) (&mutator->result + 1));
    if (AMP_GC_LOAD(&mutator->state) == AMP_GC_ENDED)
        return;
    each_of_stack(mutator->stack, fn, arg);
    for (size_t i = 0; i < mutator->n_others; i++)
        each_of_stack(mutator->others[i], fn, arg);
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

/* ---- Stacks that a mutator resumes. Its own thread changes their list, and only while nobody else scans it. */

static size_t place_of(const struct amp_gc_mutator *m, const struct amp_stack *stack)
{
    size_t i = 0;

    while (i < m->n_others && m->others[i] != stack)
        i++;
    return i;
}

bool amp_gc_knows(struct amp_gc_mutator *m, const struct amp_stack *stack)
{
    if (!stack || stack == m->stack || place_of(m, stack) < m->n_others)
        return true;
    amp_gc_fail(m->gc, -EFAULT, "mutator %s runs on a stack that is not registered by amp_gc_stack_add()", m->name);
    return false;
}

static uint64_t add(void *stack)
{
    struct amp_gc_mutator *m = amp_gc_present();
    struct amp_stack **more;

    if (!m) {
        amp_gc_say("only mutators register stacks, and this thread is none");
        return (uint64_t) -EINVAL;
    }
    if (!stack) {
        amp_gc_say("there is no stack to register");
        return (uint64_t) -EINVAL;
    }
    if (stack == m->stack || place_of(m, stack) < m->n_others) {
        amp_gc_say("the stack is registered with mutator %s already", m->name);
        return (uint64_t) -EEXIST;
    }
    more = realloc(m->others, (m->n_others + 1) * sizeof *more);
    if (!more)
        return (uint64_t) -ENOMEM;
    m->others = more;
    m->others[m->n_others++] = stack;
    if (m->marking && m->scanned) /* the others have been; it may have run before */
        each_of_stack(stack, scan_range, &m->marker);
    return 0;
}

int amp_gc_stack_add(struct amp_stack *stack)
{
    return (int) amp_stack_call(add, stack);
}

static uint64_t take_away(void *stack)
{
    struct amp_gc_mutator *m = amp_gc_present();
    const size_t i = m ? place_of(m, stack) : 0;

    if (!m) {
        amp_gc_say("only mutators register stacks, and this thread is none");
        return (uint64_t) -EINVAL;
    }
    if (i == m->n_others) {
        amp_gc_say("the stack is not registered with mutator %s", m->name);
        return (uint64_t) -ENOENT;
    }
    if (amp_stack_runs(stack)) {
        amp_gc_say("the stack runs");
        return (uint64_t) -EBUSY;
    }
    m->others[i] = m->others[--m->n_others];
    return 0;
}

int amp_gc_stack_remove(struct amp_stack *stack)
{
    return (int) amp_stack_call(take_away, stack);
}
