/* SPDX-License-Identifier: MIT
 *
 * Is the marking right? These checks share no code with the marker: they look up objects by division, keep their own
 * set of what they have seen, and walk with a stack of their own. If one fails, the process ends with the reason.
 *
 *   at the end of marking   what a marked object or a root points to is marked. Words of stacks may point to others:
 *                           a frame that was entered after the scan can show an old word, which nobody reads. These are
 *                           counted. If no mutator has run since the cycle began, they must be marked, too.
 *   after each step         a black object points to a white one only if that can be reached from a grey one through
 *                           white ones (the weak tri-colour invariant) */
#include "harness/gc/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRANULE_B 16

struct walk {
    struct amp_gc *gc;
    uint8_t *seen; /* a bit for each granule of the heap in use */
    uintptr_t *todo;
    size_t n, most;
    size_t granules;
    bool white_only;
    bool strict;
};

_Noreturn void amp_gc_broken(const char *what, uintptr_t at)
{
    fprintf(stderr, "ampersand: gc: %s, at %#lx\n", what, (unsigned long) at);
    abort();
}

static struct amp_gc_span *span_at(const struct amp_gc *gc, uintptr_t at)
{
    return at >= gc->base && at < gc->base + gc->reserved_b ? gc->map[(at - gc->base) / AMP_GC_PAGE_B] : NULL;
}

/* The start of the object at this address; 0: there is none. */
static uintptr_t object_at(const struct amp_gc *gc, uintptr_t at, bool *marked)
{
    const struct amp_gc_span *span = span_at(gc, at);
    size_t slot;

    if (!span)
        return 0;
    slot = (at - span->base) / span->size_b;
    if (slot >= span->n || !(span->allocs[slot / 64] & (uint64_t) 1 << slot % 64))
        return 0;
    *marked = (span->marks[slot / 64] & (uint64_t) 1 << slot % 64) != 0;
    return span->base + slot * span->size_b;
}

static void each_child(const struct amp_gc *gc, uintptr_t at, void (*fn)(void *arg, uintptr_t field), void *arg)
{
    const struct amp_gc_span *span = span_at(gc, at);
    const struct amp_gc_type *type = &span->layout->type;

    for (size_t element = 0; element + type->size_b <= span->size_b; element += type->size_b)
        for (size_t i = 0; i < type->n_pointers; i++)
            fn(arg, at + element + 8 * (size_t) type->pointers[i]);
}

/* Every object that is allocated. */
static void each_object(struct amp_gc *gc, void (*fn)(struct walk *walk, uintptr_t at, bool marked), struct walk *walk)
{
    for (size_t page = 0; page < walk->granules * GRANULE_B / AMP_GC_PAGE_B; page++) {
        const struct amp_gc_span *span = gc->map[page];
        bool marked;

        if (!span || span->base != gc->base + page * AMP_GC_PAGE_B)
            continue;
        for (size_t slot = 0; slot < span->n; slot++)
            if (object_at(gc, span->base + slot * span->size_b, &marked))
                fn(walk, span->base + slot * span->size_b, marked);
    }
}

static void *must(void *memory)
{
    if (!memory)
        amp_gc_broken("no memory to verify", 0);
    return memory;
}

static void begin(struct walk *walk, struct amp_gc *gc)
{
    *walk = (struct walk){ .gc = gc, .granules = amp_gc_pages_used(gc) * AMP_GC_PAGE_B / GRANULE_B };
    walk->seen = must(calloc(walk->granules / 8 + 1, 1));
}

static void finish(struct walk *walk)
{
    free(walk->seen);
    free(walk->todo);
}

static bool is_seen(const struct walk *walk, uintptr_t at)
{
    const size_t granule = (at - walk->gc->base) / GRANULE_B;

    return walk->seen[granule / 8] >> granule % 8 & 1;
}

static void add(struct walk *walk, uintptr_t at)
{
    const size_t granule = (at - walk->gc->base) / GRANULE_B;

    if (is_seen(walk, at))
        return;
    walk->seen[granule / 8] |= (uint8_t) (1 << granule % 8);
    if (walk->n == walk->most) {
        walk->most = walk->most ? 2 * walk->most : 1024;
        walk->todo = must(realloc(walk->todo, walk->most * sizeof *walk->todo));
    }
    walk->todo[walk->n++] = at;
}

/* ---- At the end of marking */

static void expect_marked(void *arg, uintptr_t field)
{
    struct walk *walk = arg;
    const uintptr_t to = *(const uintptr_t *) field;
    bool marked = false;
    uintptr_t object;

    if (!span_at(walk->gc, to) && (to < walk->gc->base || to >= walk->gc->base + walk->gc->reserved_b))
        return;
    object = object_at(walk->gc, to, &marked);
    if (!object)
        amp_gc_broken("a reachable object points to what was freed", field);
    if (!marked)
        amp_gc_broken("a reachable object is not marked", object);
    add(walk, object);
}

__attribute__((no_sanitize("address"))) static void look_at_range(void *arg, uintptr_t from, uintptr_t to)
{
    struct walk *walk = arg;

    for (uintptr_t at = (from + 7) & ~(uintptr_t) 7; at + 8 <= to; at += 8) {
        bool marked = false;
        const uintptr_t object = object_at(walk->gc, *(const uintptr_t *) at, &marked);

        if (!object)
            continue;
        if (marked)
            add(walk, object);
        else if (walk->strict)
            amp_gc_broken("an object is not marked to which a stack or a root points", object);
        else
            walk->gc->stale++;
    }
}

static void follow(struct walk *walk, void (*fn)(void *arg, uintptr_t field))
{
    while (walk->n > 0)
        each_child(walk->gc, walk->todo[--walk->n], fn, walk);
}

static void check_marked_object(struct walk *walk, uintptr_t at, bool marked)
{
    if (marked)
        each_child(walk->gc, at, expect_marked, walk);
}

void amp_gc_verify_marks(struct amp_gc *gc)
{
    struct walk walk;

    begin(&walk, gc);
    walk.strict = true;
    for (size_t i = 0; i < gc->n_roots; i++)
        look_at_range(&walk, gc->roots[i].at, gc->roots[i].at + 8 * gc->roots[i].words);
    walk.strict = gc->whole;
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        amp_gc_each_range(m, look_at_range, &walk);
    follow(&walk, expect_marked);
    each_object(gc, check_marked_object, &walk);
    finish(&walk);
}

/* ---- While marking */

static void reach_white(void *arg, uintptr_t field)
{
    struct walk *walk = arg;
    bool marked = true;
    const uintptr_t object = object_at(walk->gc, *(const uintptr_t *) field, &marked);

    if (object && !marked)
        add(walk, object);
}

__attribute__((no_sanitize("address"))) static void reach_from_range(void *arg, uintptr_t from, uintptr_t to)
{
    for (uintptr_t at = (from + 7) & ~(uintptr_t) 7; at + 8 <= to; at += 8)
        reach_white(arg, at);
}

static void add_grey(struct walk *grey, const struct amp_gc_block *block)
{
    bool marked;

    for (; block; block = block->next)
        for (size_t i = 0; i < block->n; i++)
            add(grey, object_at(grey->gc, block->at[i] & ~(uintptr_t) 1, &marked));
}

static void add_block(struct walk *grey, struct amp_gc_block *block)
{
    struct amp_gc_block *next = block->next;

    block->next = NULL;
    add_grey(grey, block);
    block->next = next;
}

static struct walk *greys, *reached;

static void expect_protected(void *arg, uintptr_t field)
{
    struct walk *walk = arg;
    bool marked = true;
    const uintptr_t object = object_at(walk->gc, *(const uintptr_t *) field, &marked);

    if (object && !marked && !is_seen(reached, object))
        amp_gc_broken("a black object points to a white one, and no grey one leads there", field);
}

static void check_black_object(struct walk *walk, uintptr_t at, bool marked)
{
    if (marked && !is_seen(greys, at))
        each_child(walk->gc, at, expect_protected, walk);
}

void amp_gc_verify_invariant(struct amp_gc *gc)
{
    struct walk grey, white;

    begin(&grey, gc);
    begin(&white, gc);
    add_block(&grey, gc->worker_marker.block);
    add_grey(&grey, gc->queue);
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next) {
        add_block(&grey, m->marker.block);
        if (m->state != AMP_GC_ENDED && !m->scanned)
            amp_gc_each_range(m, reach_from_range, &white);
    }
    for (size_t i = 0; !gc->roots_done && i < gc->n_roots; i++)
        reach_from_range(&white, gc->roots[i].at, gc->roots[i].at + 8 * gc->roots[i].words);
    for (size_t i = 0; i < grey.n; i++)
        each_child(gc, grey.todo[i], reach_white, &white);
    follow(&white, reach_white);
    greys = &grey;
    reached = &white;
    each_object(gc, check_black_object, &grey);
    finish(&grey);
    finish(&white);
}
