/* SPDX-License-Identifier: MIT
 *
 * Random programs: allocate, link, unlink, drop, call, grow the stack, hand objects to another mutator. Compiled once
 * with the collector and once with ON_MALLOC, where memory is never freed. Prints a checksum for each seed, of all that
 * the program has read; both must print the same. What a program does depends on its seed alone.
 *
 *   gc_random FIRST COUNT MODES MUTATORS OPERATIONS [GOGC]       MODES: of c, p, v, s, or - (enum amp_gc_mode) */
#include "harness/gc/gc.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME 1536
#define ROUNDS 4
#define SLOTS 12
#define MOST 4 /* mutators */
#define MAGIC 0x0b1ec7edUL

enum kind { LEAF, BIG_LEAF, PAIR, MIXED, WIDE, CELLS, KINDS };

static const uint16_t of_pair[] = { 2, 3 }, of_mixed[] = { 2, 5, 6 }, of_cell[] = { 2 };
static const uint16_t of_wide[] = { 4, 5, 6, 7, 8, 9, 10, 20, 30, 39 };
static const struct amp_gc_type types[KINDS] = {
    { "leaf", 40, NULL, 0 },      { "big leaf", 4816, NULL, 0 }, { "pair", 32, of_pair, 2 },
    { "mixed", 64, of_mixed, 3 }, { "wide", 320, of_wide, 10 },  { "cell", 24, of_cell, 1 },
};

struct object {
    uint64_t tag; /* MAGIC, elements, kind */
    uint64_t value;
};

struct world {
    uint64_t random, steps; /* the second for what only the collector does */
    uint64_t sum, made;
    struct object **slots; /* a registered root */
    struct object **to, **from;
    struct amp_gc *gc;
    unsigned operations;
    bool stepping;
};

static struct object *slots[MOST][SLOTS], *mail[MOST];

#ifdef ON_MALLOC
#define store(field, pointer) __atomic_store_n((void **) (field), (void *) (pointer), __ATOMIC_RELEASE)
#define poll() ((void) 0)
#else
static unsigned ids[KINDS];
#define store amp_gc_store
#define poll amp_gc_poll
#endif

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t pick(struct world *w, uint64_t n)
{
    return (next(&w->random) >> 11) % n;
}

static uint64_t elements(const struct object *o)
{
    return o->tag >> 8 & 0xffffff;
}

static uint64_t damaged(void *object)
{
    fprintf(stderr, "an object is damaged: %p %#lx\n", object, (unsigned long) ((struct object *) object)->tag);
    abort();
    return 0;
}

/* Every object that is read is looked at. */
static const struct amp_gc_type *check(const struct object *o)
{
    if (o->tag >> 32 != MAGIC || (o->tag & 0xff) >= KINDS)
        amp_stack_call(damaged, (void *) o);
    return &types[o->tag & 0xff];
}

static struct object **field(struct world *w, struct object *o)
{
    const struct amp_gc_type *type = check(o);
    const uint64_t element = type->n_pointers ? pick(w, elements(o)) : 0;

    return type->n_pointers ? (struct object **) ((char *) o + element * type->size_b +
                                                  8 * (size_t) type->pointers[pick(w, type->n_pointers)])
                            : NULL;
}

static struct object *load(struct object **at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

#ifdef ON_MALLOC
static void *allocate(unsigned kind, size_t n)
{
    return calloc(n, types[kind].size_b);
}

static void advance(struct world *w)
{
    (void) w;
}
#else
static void *allocate(unsigned kind, size_t n)
{
    return n == 1 ? amp_gc_alloc(ids[kind]) : amp_gc_alloc_array(ids[kind], n);
}

static void advance(struct world *w)
{
    if (w->stepping && next(&w->steps) % 3 == 0)
        amp_gc_step(w->gc, next(&w->steps) % 4);
}
#endif

static uint64_t give_up(void *gc)
{
#ifndef ON_MALLOC
    fprintf(stderr, "no object: %s\n", amp_gc_message(gc));
#endif
    abort();
    return (uintptr_t) gc;
}

AMP_GROWS(struct object *, make, FRAME, struct world *w, unsigned kind)
{
    const uint64_t n = kind != CELLS ? 1 : pick(w, 40) == 0 ? 2000 + pick(w, 9000) : 1 + pick(w, 30);
    struct object *o = allocate(kind, n);

    if (!o)
        amp_stack_call(give_up, w->gc);
    o->tag = MAGIC << 32 | n << 8 | kind;
    o->value = ++w->made * 0x9e3779b97f4a7c15UL;
    advance(w);
    return o;
}

static unsigned any_kind(struct world *w)
{
    static const unsigned char often[] = { LEAF,  LEAF,  PAIR, PAIR,  PAIR,  PAIR,
                                           MIXED, MIXED, WIDE, CELLS, CELLS, BIG_LEAF };

    return often[pick(w, sizeof often)];
}

/* A walk at random from an object on. */
AMP_GROWS(void, wander, FRAME, struct world *w, struct object *o)
{
    for (unsigned i = 0; i < 12 && o; i++) {
        struct object **at = field(w, o);

        w->sum = (w->sum ^ o->value) * 0x100000001b3UL;
        o->value += i;
        o = at ? load(at) : NULL;
    }
}

/* Objects that nobody else has. */
AMP_GROWS(struct object *, tree, FRAME, struct world *w, unsigned depth)
{
    struct object *o = make(w, PAIR);

    for (unsigned i = 0; i < 2 && depth > 0; i++)
        store((struct object **) o + 2 + i, tree(w, depth - 1 - (unsigned) pick(w, depth)));
    return o;
}

/* Larger frames, so that the stack grows while objects are held in it alone. */
AMP_GROWS(uint64_t, deep, FRAME + 512, struct world *w, struct object *held, unsigned n)
{
    volatile char room[300];
    struct object *mine = make(w, PAIR);

    room[0] = room[299] = (char) n;
    store((struct object **) mine + 2, held);
    if (n > 0)
        w->sum += deep(w, mine, n - 1) + (uint64_t) (room[0] - room[299]);
    wander(w, mine);
    return mine->value + (held ? held->value : 0);
}

/* The middle of an object is all that is kept of it for a while. */
AMP_GROWS(struct object *, by_its_middle, FRAME, struct world *w, struct object *o)
{
    char *middle = (char *) o + 9;

    __asm__ volatile("" : "+r"(middle));
    o = NULL;
    for (unsigned i = 0; i < 3; i++)
        make(w, any_kind(w));
    __asm__ volatile("" : "+r"(middle));
    return (struct object *) (middle - 9);
}

AMP_GROWS(struct object *, act, FRAME + 512, struct world *w, struct object *in, unsigned depth)
{
    struct object *a = in, *b = NULL, *c = NULL, **at;

    for (unsigned i = 0; i < w->operations; i++) {
        advance(w);
        switch (pick(w, 18)) {
        case 0: case 1: case 2: a = make(w, any_kind(w)); break;
        case 3: case 4: case 5:
            if (a && (at = field(w, a)))
                store(at, b);
            break;
        case 6:
            if (b && (at = field(w, b)))
                store(at, NULL);
            break;
        case 7: case 8:
            if (b && (at = field(w, b)))
                a = load(at);
            break;
        case 9: c = b; b = a; a = c; c = NULL; break;
        case 10: store(&w->slots[pick(w, SLOTS)], a); break;
        case 11: b = load(&w->slots[pick(w, SLOTS)]); break;
        case 12: if (depth < 6 && pick(w, 2)) c = act(w, b, depth + 3); break;
        case 13: if (pick(w, 4) == 0) w->sum += deep(w, a, (unsigned) pick(w, 12)); break;
        case 14: wander(w, a); break;
        case 15: wander(w, c); break;
        case 16: /* move a pointer: load it, delete it there, keep it here alone */
            if (a && (at = field(w, a))) {
                b = load(at);
                store(at, NULL);
            }
            break;
        case 17: if (a) c = by_its_middle(w, a); break;
        }
        poll();
    }
    wander(w, a);
    wander(w, b);
    return pick(w, 2) ? a : c;
}

static uint64_t give_way(void *unused)
{
    (void) unused;
    return (uint64_t) sched_yield();
}

AMP_GROWS(void, wait_until, FRAME, struct object **slot, bool filled)
{
    while ((load(slot) != NULL) != filled) {
#ifdef ON_MALLOC
        give_way(NULL);
#else
        poll();
        amp_gc_call(give_way, NULL);
#endif
    }
}

AMP_GROWS(uint64_t, program, FRAME, void *arg)
{
    struct world *w = arg;
    struct object *message;

    for (unsigned round = 0; round < ROUNDS; round++) {
        act(w, w->slots[round], 0);
        message = tree(w, 4);
        wait_until(w->to, false);
        store(w->to, message);
        message = NULL;
        wait_until(w->from, true);
        message = load(w->from);
        store(w->from, NULL);
        wander(w, message);
        store(&w->slots[round + 4], message);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        wander(w, w->slots[i]);
    return w->sum;
}

static void prepare(struct world *w, uint64_t seed, unsigned i, unsigned n)
{
    *w = (struct world){ .random = (seed + 1) * 0x9e3779b97f4a7c15UL + i, .steps = seed + 77 + i };
    w->slots = slots[i];
    w->to = &mail[i];
    w->from = &mail[(i + n - 1) % n];
    for (unsigned k = 0; k < 8; k++)
        next(&w->random);
}

#ifdef ON_MALLOC
static void *on_thread(void *w)
{
    program(w);
    return NULL;
}

static void run(struct world *worlds, unsigned n, const struct amp_gc_limits *limits)
{
    pthread_t threads[MOST];

    (void) limits;
    for (unsigned i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, on_thread, &worlds[i]);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}
#else
static void expect(int error, struct amp_gc *gc)
{
    if (!error)
        return;
    fprintf(stderr, "%d: %s\n", error, amp_gc_message(gc));
    exit(1);
}

/* Nothing is left when nobody points to anything. */
static void expect_empty(struct amp_gc *gc)
{
    struct amp_gc_stats stats;

    memset(slots, 0, sizeof slots);
    for (unsigned i = 0; i < 2; i++)
        expect(amp_gc_collect(gc), gc);
    amp_gc_stats(gc, &stats);
    if (stats.allocated_objects == stats.freed_objects && stats.allocated_b == stats.freed_b && stats.span_b == 0)
        return;
    fprintf(stderr, "%lu objects are left\n", (unsigned long) (stats.allocated_objects - stats.freed_objects));
    abort();
}

static void run(struct world *worlds, unsigned n, const struct amp_gc_limits *limits)
{
    static const char *names[MOST] = { "one", "two", "three", "four" };
    struct amp_gc_mutator *mutators[MOST];
    struct amp_gc *gc;
    const char *why;

    if (amp_gc_create(limits, &gc, &why)) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    for (unsigned kind = 0; kind < KINDS; kind++)
        expect(amp_gc_type_add(gc, &types[kind], &ids[kind]), gc);
    expect(amp_gc_root_add(gc, "slots", slots, sizeof slots), gc);
    expect(amp_gc_root_add(gc, "mail", mail, sizeof mail), gc);
    for (unsigned i = 0; i < n; i++) {
        worlds[i].gc = gc;
        worlds[i].stepping = limits->modes & AMP_GC_STEP;
        expect(amp_gc_mutator_start(gc, names[i], NULL, program, &worlds[i], &mutators[i]), gc);
    }
    for (unsigned i = 0; i < n; i++)
        expect(amp_gc_mutator_join(mutators[i], NULL), gc);
    expect_empty(gc);
    amp_gc_destroy(gc);
}
#endif

int main(int argc, char **argv)
{
    struct amp_gc_limits limits = { .gogc = 100, .reserve_b = (size_t) 1 << 30, .minimum_b = 65536 };
    uint64_t first, count;
    unsigned n, operations;

    if (argc < 6)
        return 2;
    first = strtoull(argv[1], NULL, 10);
    count = strtoull(argv[2], NULL, 10);
    limits.modes = (strchr(argv[3], 'c') ? AMP_GC_COLLECT : 0) | (strchr(argv[3], 'p') ? AMP_GC_POISON : 0) |
                   (strchr(argv[3], 'v') ? AMP_GC_VERIFY : 0) | (strchr(argv[3], 's') ? AMP_GC_STEP : 0);
    n = (unsigned) strtoul(argv[4], NULL, 10);
    operations = (unsigned) strtoul(argv[5], NULL, 10);
    if (argc > 6)
        limits.gogc = atoi(argv[6]);
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct world worlds[MOST];
        uint64_t sum = 0;

        memset(slots, 0, sizeof slots);
        memset(mail, 0, sizeof mail);
        for (unsigned i = 0; i < n; i++) {
            prepare(&worlds[i], seed, i, n);
            worlds[i].operations = operations;
        }
        run(worlds, n, &limits);
        for (unsigned i = 0; i < n; i++)
            sum = sum * 31 + worlds[i].sum + worlds[i].made;
        printf("%lu %016lx\n", (unsigned long) seed, (unsigned long) sum);
        fflush(stdout);
    }
    return 0;
}
