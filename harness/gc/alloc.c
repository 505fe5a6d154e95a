/* SPDX-License-Identifier: MIT
 *
 * Allocation. Fast: the first free slot of 64 that one word of bits describes. Else, on the host stack: the next word,
 * another span; and before that, what the pacer wants of a mutator that allocates. */
#include "harness/gc/state.h"

#include <string.h>

_Thread_local struct amp_gc_mutator *amp_gc_me;
_Thread_local volatile uint32_t amp_gc_asked;

struct request {
    unsigned type;
    size_t n;
    const struct amp_stack *from;
};

/* The slot that a free bit stands for; cleared, if that is left to do. */
static inline __attribute__((always_inline)) void *take(struct amp_gc_mutator *m, struct amp_gc_bin *bin, uint64_t free)
{
    const unsigned bit = (unsigned) __builtin_ctzll(free);
    const uintptr_t at = bin->base + bit * bin->size_b;

    if (bin->clear)
        memset((void *) at, 0, bin->size_b);
    if (__builtin_expect(m->marking, 0))
        amp_gc_black(m, bin->mark, bit, bin->size_b); /* before others may find it */
    __atomic_store_n(bin->word, *bin->word | (uint64_t) 1 << bit, __ATOMIC_RELEASE);
    return (void *) at;
}

/* Free memory is as it was left: poisoned, or zero where nothing was ever. */
static void examine(const struct amp_gc_bin *bin, uintptr_t at)
{
    const unsigned char *byte = (const unsigned char *) at;
    const unsigned char want = bin->span->fresh ? 0 : AMP_GC_POISON_BYTE;

    for (size_t i = 0; i < bin->size_b; i++)
        if (byte[i] != want)
            amp_gc_broken("a free object was written to", at + i);
}

static void *take_slowly(struct amp_gc_mutator *m, struct amp_gc_bin *bin)
{
    const uint64_t free = ~*bin->word;
    const uintptr_t at = bin->base + (unsigned) __builtin_ctzll(free) * bin->size_b;

    amp_gc_show(at, bin->size_b);
    if (m->gc->limits.modes & AMP_GC_POISON)
        examine(bin, at);
    return take(m, bin, free);
}

/* Go to the next 64 slots of the span. */
static bool advance(struct amp_gc_bin *bin)
{
    if (!bin->span || bin->word + 1 >= bin->span->allocs + bin->span->words)
        return false;
    bin->word++;
    bin->mark++;
    bin->base += 64 * bin->size_b;
    return true;
}

/* Before the heap grows by so many bytes. */
static void pay(struct amp_gc_mutator *m, size_t bytes)
{
    struct amp_gc *gc = m->gc;

    if (!m->marking && AMP_GC_LOAD(&gc->heap_b) + bytes > gc->pace.trigger_b &&
        AMP_GC_LOAD(&gc->phase) == AMP_GC_OFF)
        amp_gc_begin(gc, m, gc->pace.limited ? "limit" : "trigger");
    if (m->marking)
        amp_gc_assist(m, bytes);
}

/* After a failure for lack of memory: what a cycle frees may do. */
static void *no_memory(struct amp_gc_mutator *m, size_t size_b)
{
    struct amp_gc *gc = m->gc;

    if (gc->limits.heap_b && gc->live_b > gc->limits.heap_b / 2)
        amp_gc_say("the memory limit of %zu B cannot be kept: %zu B are live, and %zu B more are wanted",
                   gc->limits.heap_b, gc->live_b, size_b);
    else
        amp_gc_say("no memory for %zu B: spans hold %zu B of %zu B", size_b, gc->span_b,
                   gc->limits.heap_b ? gc->limits.heap_b : gc->reserved_b);
    return NULL;
}

static void *no_kind(struct amp_gc_mutator *m, size_t size_b)
{
    if (AMP_GC_LOAD(&m->gc->n_kinds) < AMP_GC_KINDS)
        return no_memory(m, size_b);
    amp_gc_say("types and sizes of their arrays make more than %d kinds of objects", AMP_GC_KINDS);
    return NULL;
}

static void *allocate_large(struct amp_gc_mutator *m, unsigned type, size_t size_b)
{
    struct amp_gc_span *span;

    pay(m, size_b);
    span = amp_gc_large(m, type, size_b);
    if (!span && amp_gc_cycle_whole(m->gc, m) == 0)
        span = amp_gc_large(m, type, size_b);
    return span ? (void *) span->base : no_memory(m, size_b);
}

/* It has paid for a whole span, and got one with fewer free slots: the rest counts for the next. */
static void give_back(struct amp_gc_mutator *m, const struct amp_gc_span *span, size_t paid_b)
{
    if (m->marking)
        m->debt -= m->price * (double) (paid_b - (span->n - span->taken) * span->size_b);
}

static void *allocate_small(struct amp_gc_mutator *m, unsigned type, size_t size_b)
{
    struct amp_gc_bin *bin = amp_gc_bin_of(m, type, size_b);
    bool again = false;
    size_t span_b;

    if (!bin)
        return no_kind(m, size_b);
    span_b = amp_gc_class_pages(bin->kind->class_) * AMP_GC_PAGE_B;
    while (*bin->word == ~(uint64_t) 0) {
        if (advance(bin))
            continue;
        pay(m, span_b);
        if (amp_gc_refill(m, bin) == 0) {
            give_back(m, bin->span, span_b);
            continue;
        }
        if (again || amp_gc_cycle_whole(m->gc, m) != 0)
            return no_memory(m, size_b);
        again = true;
    }
    if (size_b == bin->kind->layout->type.size_b && !m->slow)
        m->single[type] = bin;
    return take_slowly(m, bin);
}

static void *allocate(struct amp_gc_mutator *m, unsigned type, size_t n)
{
    struct amp_gc *gc = m->gc;
    size_t size_b;

    if (__atomic_load_n(m->asked, __ATOMIC_RELAXED))
        amp_gc_at_safe_point(m);
    if (AMP_GC_LOAD(&gc->error))
        return NULL;
    if (type == 0 || type >= AMP_GC_LOAD(&gc->types)) {
        amp_gc_say("an object without a descriptor: no type has the number %u", type);
        return NULL;
    }
    if (n == 0 || __builtin_mul_overflow(n, gc->layouts[type].type.size_b, &size_b) || size_b > gc->reserved_b) {
        amp_gc_say("no array of type %s has %zu elements", gc->layouts[type].type.name, n);
        return NULL;
    }
    if (gc->limits.modes & AMP_GC_COLLECT && amp_gc_cycle_whole(gc, m) != 0)
        return NULL;
    return size_b > AMP_GC_SMALL_B ? allocate_large(m, type, size_b) : allocate_small(m, type, size_b);
}

static uint64_t slow(void *arg)
{
    const struct request *request = arg;
    struct amp_gc_mutator *m = amp_gc_present();
    void *at = NULL;

    if (m && amp_gc_knows(m, request->from)) {
        amp_gc_note_registers(m);
        at = allocate(m, request->type, request->n);
    } else if (!m) {
        amp_gc_say(amp_gc_me ? "what amp_gc_call calls may not allocate"
                             : "only mutators allocate, and this thread is none");
    }
    return (uintptr_t) at;
}

void *amp_gc_alloc(unsigned type)
{
    struct amp_gc_mutator *m = amp_gc_me;
    struct request request;

    if (__builtin_expect(m && !__atomic_load_n(&amp_gc_asked, __ATOMIC_RELAXED) && type <= AMP_GC_TYPES &&
                             m->single[type] != NULL,
                         1)) {
        struct amp_gc_bin *bin = m->single[type];
        const uint64_t free = ~*bin->word;

        if (__builtin_expect(free != 0, 1))
            return take(m, bin, free);
    }
    request = (struct request){ type, 1, amp_stack_current() };
    return (void *) amp_stack_call(slow, &request);
}

void *amp_gc_alloc_array(unsigned type, size_t n)
{
    struct request request = { type, n, amp_stack_current() };

    return (void *) amp_stack_call(slow, &request);
}
