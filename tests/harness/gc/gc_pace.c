/* SPDX-License-Identifier: MIT
 *
 * Pacing and the barrier, where they can be seen without a clock.
 *
 *   gc_pace cycles GOGC LIVE_KIB GARBAGE_KIB LIMIT_KIB SPIN   a line a cycle, a line a decision, and at the end the
 *                        peak; SPIN: loops that the program does for each object
 *   gc_pace assist       how many objects are white when the heap has reached its goal, and only assists have marked
 *   gc_pace halfway      how many are white when marking begins, and when half of the room is allocated, in a heap
 *                        where every other slot was free
 *   gc_pace barrier      colours around a store, while marking stands still */
#include "harness/gc/gc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME 1024

struct node {
    struct node *next, *other;
    uint64_t value[6];
};

static const uint16_t pointers[] = { 0, 1 };
static const struct amp_gc_type node = { "node", sizeof(struct node), pointers, 2 };
static unsigned nodes;
static struct amp_gc *gc;
static struct node *root, *second;
static size_t live_kib, garbage_kib, spins;

static void on_cycle(void *unused, const struct amp_gc_cycle *c)
{
    (void) unused;
    printf("cycle %lu %s %zu %zu %zu %zu %zu %zu %lu\n", (unsigned long) c->number, c->why, c->heap_begin_b,
           c->heap_end_b, c->live_b, c->born_b, c->goal_b, c->span_b, (unsigned long) c->objects);
}

static void on_pace(void *unused, const struct amp_gc_pace *p)
{
    (void) unused;
    printf("pace %lu %d %zu %zu %zu %d %zu %zu %zu %.0f %.0f\n", (unsigned long) p->cycle, p->gogc, p->live_b,
           p->roots_b, p->goal_b, p->limited, p->trigger_b, p->runway_b, p->work_b, 1e9 * p->allocated_per_work,
           1e9 * p->beside);
}

static void make(struct amp_gc_limits limits)
{
    const char *why;

    if (amp_gc_create(&limits, &gc, &why) || amp_gc_type_add(gc, &node, &nodes) ||
        amp_gc_root_add(gc, "root", &root, sizeof root) || amp_gc_root_add(gc, "second", &second, sizeof second))
        abort();
}

AMP_GROWS(void, list, FRAME, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct node *made = amp_gc_alloc(nodes);

        amp_gc_store(&made->next, root);
        amp_gc_store(&root, made);
    }
}

AMP_GROWS(uint64_t, live_and_garbage, FRAME, void *unused)
{
    list(live_kib * 16);
    for (size_t i = 0; i < garbage_kib * 16; i++) {
        if (!amp_gc_alloc(nodes))
            abort();
        for (volatile size_t spin = spins; spin > 0; spin--)
            ;
    }
    return (uintptr_t) unused;
}

static void cycles(char **argv)
{
    struct amp_gc_stats stats;

    live_kib = strtoul(argv[1], NULL, 10);
    garbage_kib = strtoul(argv[2], NULL, 10);
    spins = strtoul(argv[4], NULL, 10);
    make((struct amp_gc_limits){ .gogc = atoi(argv[0]),
                                 .minimum_b = 65536,
                                 .heap_b = strtoul(argv[3], NULL, 10) * 1024,
                                 .cpus = 2,
                                 .trace = { on_cycle, on_pace, NULL } });
    amp_gc_run(gc, "one", live_and_garbage, NULL, NULL);
    amp_gc_stats(gc, &stats);
    printf("peak %zu %zu %lu\n", stats.peak_heap_b, stats.peak_span_b, (unsigned long) stats.allocated_b);
}

static uint64_t white(void *unused)
{
    uint64_t n = 0;

    (void) unused;
    for (struct node *at = root; at; at = at->next)
        n += amp_gc_colour(gc, at) == AMP_GC_WHITE;
    return n;
}

static uint64_t stats(void *out)
{
    amp_gc_stats(gc, out);
    return 0;
}

AMP_GROWS(uint64_t, allocate_to_the_goal, FRAME, void *unused)
{
    struct amp_gc_stats now;
    uint64_t first;

    list(20000);
    amp_gc_collect(gc);
    do {
        amp_gc_alloc(nodes);
        amp_stack_call(stats, &now);
    } while (!now.marking);
    first = amp_stack_call(white, unused);
    while (now.heap_b < now.goal_b) {
        amp_gc_alloc(nodes);
        amp_stack_call(stats, &now);
    }
    return first << 32 | amp_stack_call(white, unused);
}

#define LIVE 400000

/* Every other slot is free: spans give half of what a new one gives. Half of the way to the goal, half is marked. */
AMP_GROWS(uint64_t, allocate_halfway, FRAME, void *unused)
{
    struct amp_gc_stats now;
    uint64_t first;
    size_t half_b;

    for (unsigned i = 0; i < LIVE; i++) {
        list(1);
        amp_gc_alloc(nodes);
    }
    amp_gc_collect(gc);
    amp_gc_collect(gc);
    do {
        amp_gc_alloc(nodes);
        amp_stack_call(stats, &now);
    } while (!now.marking);
    first = amp_stack_call(white, unused);
    half_b = now.heap_b / 2 + now.goal_b / 2;
    while (now.heap_b < half_b) {
        amp_gc_alloc(nodes);
        amp_stack_call(stats, &now);
    }
    return first << 32 | amp_stack_call(white, unused);
}

static void halfway(void)
{
    uint64_t both = 0;

    make((struct amp_gc_limits){ .gogc = 90, .minimum_b = 65536, .modes = AMP_GC_STEP });
    amp_gc_run(gc, "one", allocate_halfway, NULL, &both);
    printf("%lu white at first, %lu halfway\n", (unsigned long) (both >> 32), (unsigned long) (both & 0xffffffff));
}

static void assist(void)
{
    uint64_t both = 0;

    make((struct amp_gc_limits){ .gogc = 100, .minimum_b = 65536, .modes = AMP_GC_STEP | AMP_GC_VERIFY });
    amp_gc_run(gc, "one", allocate_to_the_goal, NULL, &both);
    printf("%lu white at first, %lu at the goal\n", (unsigned long) (both >> 32), (unsigned long) (both & 0xffffffff));
}

static const char *colours[] = { "white", "grey", "black" };

static uint64_t show(void *at)
{
    const int colour = amp_gc_colour(gc, at);

    printf("%s\n", colour < 0 ? "none" : colours[colour]);
    return 0;
}

static uint64_t show_why(void *unused)
{
    (void) unused;
    printf("%s\n", amp_gc_message(gc));
    return 0;
}

/* Nothing but the stack has been scanned when the cycle begins: all that hangs on roots is white. */
AMP_GROWS(uint64_t, store_while_marking, FRAME, void *unused)
{
    struct node *made;
    int more;

    list(3);
    amp_gc_store(&second, root->next);
    amp_gc_store(&root->next->other, amp_gc_alloc(nodes));
    amp_gc_collect(gc);
    __asm__ volatile("" : : : "memory");
    amp_gc_step(gc, 0);
    made = amp_gc_alloc(nodes);
    amp_stack_call(show, made); /* black from birth */
    amp_stack_call(show, second->next);
    amp_gc_store(&made->next, second->next); /* insertion */
    amp_stack_call(show, second->next);
    amp_stack_call(show, second->other);
    amp_gc_store(&second->other, NULL); /* deletion; `made` keeps nothing of it */
    do
        more = amp_gc_step(gc, 1);
    while (more > 0);
    if (more < 0)
        amp_stack_call(show_why, NULL);
    amp_stack_call(show, made->next);
    return (uintptr_t) unused;
}

static struct node *deleted;

static uint64_t show_deleted(void *unused)
{
    (void) unused;
    return show(deleted);
}

AMP_GROWS(uint64_t, delete_while_marking, FRAME, void *unused)
{
    list(1);
    amp_gc_store(&root->other, amp_gc_alloc(nodes));
    deleted = root->other;
    amp_gc_step(gc, 0);
    amp_gc_store(&root->other, NULL);
    amp_stack_call(show_deleted, NULL);
    return (uintptr_t) unused;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "cycles") == 0) {
        cycles(argv + 2);
    } else if (argc == 2 && strcmp(argv[1], "assist") == 0) {
        assist();
    } else if (argc == 2 && strcmp(argv[1], "halfway") == 0) {
        halfway();
    } else if (argc == 2 && strcmp(argv[1], "barrier") == 0) {
        make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_STEP | AMP_GC_VERIFY });
        amp_gc_run(gc, "one", store_while_marking, NULL, NULL);
        root = second = NULL;
        amp_gc_collect(gc);
        amp_gc_run(gc, "two", delete_while_marking, NULL, NULL);
    } else {
        return 2;
    }
    return amp_gc_destroy(gc) ? 1 : 0;
}
