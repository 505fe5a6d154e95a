/* SPDX-License-Identifier: MIT
 *
 * The heap, seen from outside: its roots, objects and edges, their colours; and marking step by step. */
#include "harness/gc/state.h"

#include <errno.h>

static uint32_t slots_of(const struct amp_gc_span *span, uintptr_t at)
{
    const uint32_t slot = span ? amp_gc_slot_of(span, at) : 0;

    return span && slot < span->n && amp_gc_is_set(span->allocs, slot) ? slot : UINT32_MAX;
}

static bool block_holds(const struct amp_gc_block *block, uintptr_t at)
{
    for (size_t i = 0; i < block->n; i++)
        if ((block->at[i] & ~(uintptr_t) 1) == at)
            return true;
    return false;
}

static bool is_grey(struct amp_gc *gc, uintptr_t at)
{
    bool grey = block_holds(gc->worker_marker.block, at);

    pthread_mutex_lock(&gc->queue_lock);
    for (const struct amp_gc_block *block = gc->queue; block && !grey; block = block->next)
        grey = block_holds(block, at);
    pthread_mutex_unlock(&gc->queue_lock);
    for (const struct amp_gc_mutator *m = gc->mutators; m && !grey; m = m->next)
        grey = block_holds(m->marker.block, at);
    return grey;
}

static enum amp_gc_colour colour_of(struct amp_gc *gc, const struct amp_gc_span *span, uint32_t slot)
{
    if (!amp_gc_is_set(span->marks, slot))
        return AMP_GC_WHITE;
    return gc->on && is_grey(gc, amp_gc_slot_at(span, slot)) ? AMP_GC_GREY : AMP_GC_BLACK;
}

int amp_gc_colour(struct amp_gc *gc, const void *at)
{
    const struct amp_gc_span *span = amp_gc_span_of(gc, (uintptr_t) at);
    const uint32_t slot = slots_of(span, (uintptr_t) at);

    return slot == UINT32_MAX ? -EINVAL : (int) colour_of(gc, span, slot);
}

/* ---- Walk */

struct visit {
    struct amp_gc *gc;
    const struct amp_gc_visitor *visitor;
    const char *where;
};

__attribute__((no_sanitize("address"))) static void visit_range(void *arg, uintptr_t from, uintptr_t to)
{
    const struct visit *visit = arg;

    for (uintptr_t at = (from + 7) & ~(uintptr_t) 7; at + 8 <= to; at += 8) {
        const uintptr_t word = *(const uintptr_t *) at;
        const struct amp_gc_span *span = amp_gc_span_of(visit->gc, word);
        const uint32_t slot = slots_of(span, word);

        if (slot != UINT32_MAX)
            visit->visitor->root(visit->visitor->arg, visit->where, (const void *) amp_gc_slot_at(span, slot));
    }
}

static void visit_roots(struct visit *visit)
{
    struct amp_gc *gc = visit->gc;

    for (size_t i = 0; i < gc->n_roots; i++) {
        visit->where = gc->roots[i].name;
        visit_range(visit, gc->roots[i].at, gc->roots[i].at + 8 * gc->roots[i].words);
    }
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next) {
        visit->where = m->name;
        amp_gc_each_range(m, visit_range, visit);
    }
}

static void visit_edges(const struct visit *visit, const struct amp_gc_span *span, uintptr_t at)
{
    const struct amp_gc_type *type = &span->layout->type;

    for (size_t element = 0; element + type->size_b <= span->size_b; element += type->size_b)
        for (size_t i = 0; i < type->n_pointers; i++) {
            const size_t field_b = element + 8 * (size_t) type->pointers[i];
            const uintptr_t word = *(const uintptr_t *) (at + field_b);
            const struct amp_gc_span *to = amp_gc_span_of(visit->gc, word);
            const uint32_t slot = slots_of(to, word);

            if (slot != UINT32_MAX)
                visit->visitor->edge(visit->visitor->arg, (const void *) at, field_b,
                                     (const void *) amp_gc_slot_at(to, slot));
        }
}

static void visit_span(const struct visit *visit, const struct amp_gc_span *span)
{
    for (uint32_t slot = 0; slot < span->n; slot++) {
        const uintptr_t at = amp_gc_slot_at(span, slot);
        const struct amp_gc_object object = {
            .at = (const void *) at,
            .size_b = span->size_b,
            .type = span->kind->type_id,
            .layout = &span->layout->type,
            .colour = colour_of(visit->gc, span, slot),
        };

        if (!amp_gc_is_set(span->allocs, slot))
            continue;
        if (visit->visitor->object)
            visit->visitor->object(visit->visitor->arg, &object);
        if (visit->visitor->edge)
            visit_edges(visit, span, at);
    }
}

/* Keep cycles from beginning and ending; STEP: its own may be half done. */
static enum amp_gc_phase hold_phase(struct amp_gc *gc)
{
    enum amp_gc_phase phase;

    pthread_mutex_lock(&gc->lock);
    phase = gc->phase;
    if (phase == AMP_GC_OFF)
        AMP_GC_STORE(&gc->phase, AMP_GC_BEGINNING);
    pthread_mutex_unlock(&gc->lock);
    return phase;
}

static void release_phase(struct amp_gc *gc, enum amp_gc_phase phase)
{
    pthread_mutex_lock(&gc->lock);
    AMP_GC_STORE(&gc->phase, phase);
    amp_gc_wake(gc);
    pthread_mutex_unlock(&gc->lock);
}

static int walk(struct amp_gc *gc, struct amp_gc_mutator *self, const struct amp_gc_visitor *visitor)
{
    struct visit visit = { gc, visitor, NULL };
    const enum amp_gc_phase phase = hold_phase(gc);
    uint64_t asked_ns, stopped_ns;
    int error;

    if (phase != AMP_GC_OFF && !(gc->limits.modes & AMP_GC_STEP)) {
        amp_gc_say("a cycle runs: the heap can be walked when it has ended");
        return -EBUSY;
    }
    if (phase == AMP_GC_OFF)
        amp_gc_sweep_all(gc);
    error = amp_gc_stop(gc, self, &asked_ns, &stopped_ns);
    if (!error) {
        if (visitor->root)
            visit_roots(&visit);
        for (size_t page = 0; page < amp_gc_pages_used(gc); page++)
            if (gc->map[page] && gc->map[page]->base == gc->base + page * AMP_GC_PAGE_B)
                visit_span(&visit, gc->map[page]);
        amp_gc_go(gc, self, asked_ns, NULL);
    }
    release_phase(gc, phase);
    if (self)
        amp_gc_at_safe_point(self);
    return error;
}

/* ---- On the host stack */

struct call {
    struct amp_gc *gc;
    const struct amp_gc_visitor *visitor;
    uint64_t n;
};

static struct amp_gc_mutator *note(struct amp_gc *gc)
{
    struct amp_gc_mutator *m = amp_gc_present();

    return m && m->gc == gc ? m : NULL;
}

static uint64_t walk_on_host(void *arg)
{
    const struct call *call = arg;
    struct amp_gc_mutator *m = note(call->gc);
    int error;

    if (m)
        amp_gc_note_registers(m);
    error = walk(call->gc, m, call->visitor);
    AMP_GC_NO_JUMP();
    return (uint64_t) error;
}

int amp_gc_walk(struct amp_gc *gc, const struct amp_gc_visitor *visitor)
{
    struct call call = { .gc = gc, .visitor = visitor };

    return (int) amp_stack_call(walk_on_host, &call);
}

static uint64_t collect_on_host(void *arg)
{
    const struct call *call = arg;
    struct amp_gc_mutator *m = note(call->gc);
    int error;

    if (m)
        amp_gc_note_registers(m);
    error = amp_gc_cycle_whole(call->gc, m);
    AMP_GC_NO_JUMP();
    return (uint64_t) error;
}

int amp_gc_collect(struct amp_gc *gc)
{
    struct call call = { .gc = gc };

    return (int) amp_stack_call(collect_on_host, &call);
}

static int step(struct amp_gc *gc, struct amp_gc_mutator *m, uint64_t n)
{
    int more = 1;

    if (!(gc->limits.modes & AMP_GC_STEP)) {
        amp_gc_say("marking goes on in steps in a collector with STEP only");
        return -EINVAL;
    }
    if (gc->phase == AMP_GC_OFF) {
        amp_gc_begin(gc, m, "collect");
    } else if (!amp_gc_mark_some(&gc->worker_marker, n)) {
        if (amp_gc_try_end(gc, m)) {
            amp_gc_sweep_all(gc);
            more = 0;
        }
    }
    if (gc->limits.modes & AMP_GC_VERIFY && gc->on && !gc->error)
        amp_gc_verify_invariant(gc);
    return gc->error ? gc->error : more;
}

static uint64_t step_on_host(void *arg)
{
    const struct call *call = arg;
    struct amp_gc_mutator *m = note(call->gc);
    int more;

    if (m)
        amp_gc_note_registers(m);
    more = step(call->gc, m, call->n);
    AMP_GC_NO_JUMP();
    return (uint64_t) more;
}

int amp_gc_step(struct amp_gc *gc, uint64_t n)
{
    struct call call = { .gc = gc, .n = n };

    return (int) amp_stack_call(step_on_host, &call);
}
