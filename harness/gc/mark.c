/* SPDX-License-Identifier: MIT
 *
 * Marking: white objects become grey (mark bit set, in a block or the queue) and then black (their words looked at).
 * Any number of threads may mark: the atomic setting of a mark bit decides whose an object is.
 *
 * The write barrier is Go's hybrid: it shades what the field held, so that nothing that was reachable when marking
 * began can be hidden from a marker (deletion, Yuasa), and what it will hold, since the stack that the pointer comes
 * from may not have been scanned yet (insertion, Dijkstra). */
#include "harness/gc/state.h"

#include <errno.h>

#define PIECE_B ((size_t) 65536) /* a large object is scanned so much at a time */
#define RING 8                   /* objects whose memory is on its way to the cache */

uint32_t amp_gc_barrier;

void amp_gc_push(struct amp_gc_marker *marker, uintptr_t at)
{
    struct amp_gc_block *block = marker->block;

    if (__builtin_expect(block->n == AMP_GC_BLOCK, 0)) {
        block = amp_gc_block_new(marker->gc);
        if (!block)
            return;
        amp_gc_block_give(marker->gc, marker->block);
        marker->block = block;
    }
    block->at[block->n++] = at;
}

void amp_gc_marker_flush(struct amp_gc_marker *marker)
{
    struct amp_gc_block *block;

    if (marker->block->n == 0)
        return;
    block = amp_gc_block_new(marker->gc);
    if (!block)
        return;
    amp_gc_block_give(marker->gc, marker->block);
    marker->block = block;
}

void amp_gc_counts_add(struct amp_gc *gc, struct amp_gc_marker *marker)
{
    AMP_GC_ADD(&gc->counts.objects, marker->counts.objects);
    AMP_GC_ADD(&gc->counts.bytes, marker->counts.bytes);
    AMP_GC_ADD(&gc->counts.born_b, marker->counts.born_b);
    AMP_GC_ADD(&gc->counts.scanned_b, marker->counts.scanned_b);
    AMP_GC_ADD(&gc->counts.stacks_b, marker->counts.stacks_b);
    AMP_GC_ADD(&gc->counts.roots_b, marker->counts.roots_b);
    marker->counts = (struct amp_gc_counts){ 0 };
}

/* Returns whether this call marked it. */
static inline __attribute__((always_inline)) bool mark(struct amp_gc_marker *marker, struct amp_gc_span *span,
                                                       uint32_t slot)
{
    uint64_t *word = &span->marks[slot / 64];
    const uint64_t bit = (uint64_t) 1 << slot % 64;

    if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit || __atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit)
        return false;
    marker->counts.objects++;
    marker->counts.bytes += span->size_b;
    return true;
}

/* A pointer that the program has stored. */
static inline __attribute__((always_inline)) void shade(struct amp_gc_marker *marker, uintptr_t at)
{
    struct amp_gc_span *span = amp_gc_span_of(marker->gc, at);
    uint32_t slot;

    if (!span)
        return;
    slot = amp_gc_slot_of(span, at);
    if (slot < span->n && mark(marker, span, slot) && span->layout->type.n_pointers > 0)
        amp_gc_push(marker, amp_gc_slot_at(span, slot));
}

void amp_gc_shade_word(struct amp_gc_marker *marker, uintptr_t word)
{
    struct amp_gc_span *span = amp_gc_span_of(marker->gc, word);
    uint32_t slot;

    if (!span)
        return;
    slot = amp_gc_slot_of(span, word);
    if (slot < span->n && amp_gc_is_set(span->allocs, slot) && mark(marker, span, slot) &&
        span->layout->type.n_pointers > 0)
        amp_gc_push(marker, amp_gc_slot_at(span, slot));
}

/* Words of stacks are looked at as they are: whatever wrote them did not know of us. */
__attribute__((no_sanitize("address", "thread"))) void amp_gc_shade_words(struct amp_gc_marker *marker, uintptr_t from,
                                                                          uintptr_t to)
{
    for (uintptr_t at = (from + 7) & ~(uintptr_t) 7; at + 8 <= to; at += 8)
        amp_gc_shade_word(marker, __atomic_load_n((const uintptr_t *) at, __ATOMIC_RELAXED));
}

/* ---- Scanning */

static inline void look(struct amp_gc_marker *marker, uintptr_t field, const struct amp_gc_layout *layout)
{
    const uintptr_t to = __atomic_load_n((const uintptr_t *) field, __ATOMIC_ACQUIRE);

    if (__builtin_expect(to - marker->gc->base < marker->gc->reserved_b, 1))
        shade(marker, to);
    else if (to != 0 && amp_gc_is_others(marker->gc, to))
        amp_gc_fail(marker->gc, -EXDEV, "an object of type %s holds a pointer to another collector's heap",
                    layout->type.name);
}

static void scan_elements(struct amp_gc_marker *marker, const struct amp_gc_layout *layout, uintptr_t at, uintptr_t to)
{
    const struct amp_gc_type *type = &layout->type;

    for (; at + type->size_b <= to; at += type->size_b)
        for (size_t i = 0; i < type->n_pointers; i++)
            look(marker, at + 8 * (uintptr_t) type->pointers[i], layout);
}

static void scan(struct amp_gc_marker *marker, uintptr_t entry)
{
    const uintptr_t at = entry & ~(uintptr_t) 1;
    const struct amp_gc_span *span = amp_gc_span_of(marker->gc, at);
    const struct amp_gc_layout *layout = span->layout;
    uintptr_t to = at + span->size_b;

    if (span->n == 1) {
        const size_t element_b = layout->type.size_b;
        const size_t piece_b = element_b < PIECE_B ? PIECE_B / element_b * element_b : element_b;

        to = span->base + span->size_b;
        if (to - at > piece_b + element_b) {
            to = at + piece_b;
            amp_gc_push(marker, to | 1);
        }
    }
    marker->counts.scanned_b += to - at;
    if (layout->dense)
        for (uintptr_t field = at; field < to; field += 8)
            look(marker, field, layout);
    else
        scan_elements(marker, layout, at, to);
}

/* Another block of grey objects, if there is one. */
static bool next_block(struct amp_gc_marker *marker)
{
    struct amp_gc_block *block = amp_gc_block_take(marker->gc);

    if (!block)
        return false;
    amp_gc_block_free(marker->gc, marker->block);
    marker->block = block;
    return true;
}

uint64_t amp_gc_drain(struct amp_gc_marker *marker, uint64_t objects)
{
    uintptr_t ring[RING];
    unsigned first = 0, n = 0;
    uint64_t scanned = 0;

    while (scanned < objects) {
        while (n < RING && marker->block->n > 0) {
            const uintptr_t at = marker->block->at[--marker->block->n];

            __builtin_prefetch((const void *) (at & ~(uintptr_t) 1));
            ring[(first + n++) % RING] = at;
        }
        if (n == 0) {
            if (!next_block(marker))
                break;
            continue;
        }
        scan(marker, ring[first]);
        first = (first + 1) % RING;
        n--;
        scanned++;
    }
    for (; n > 0; n--, first = (first + 1) % RING)
        amp_gc_push(marker, ring[first]);
    return scanned;
}

/* ---- Mutators */

void amp_gc_black(struct amp_gc_mutator *mutator, uint64_t *word, unsigned bit, size_t size_b)
{
    __atomic_fetch_or(word, (uint64_t) 1 << bit, __ATOMIC_RELAXED);
    mutator->marker.counts.objects++;
    mutator->marker.counts.bytes += size_b;
    mutator->marker.counts.born_b += size_b;
}

/* Returns whether there is none: then the collector has failed. */
static uint64_t make_room(void *arg)
{
    struct amp_gc_marker *marker = arg;

    amp_gc_marker_flush(marker);
    return marker->block->n > 0;
}

static inline bool has_room(struct amp_gc_marker *marker)
{
    return __builtin_expect(marker->block->n + 2 <= AMP_GC_BLOCK, 1) || !amp_stack_call(make_room, marker);
}

void amp_gc_store_marking(void *field, const void *pointer)
{
    struct amp_gc_mutator *me = amp_gc_me;

    if (me && me->marking && has_room(&me->marker)) {
        shade(&me->marker, __atomic_load_n((const uintptr_t *) field, __ATOMIC_RELAXED));
        shade(&me->marker, (uintptr_t) pointer);
    }
    __atomic_store_n((const void **) field, pointer, __ATOMIC_RELEASE);
}
