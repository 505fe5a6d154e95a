/* SPDX-License-Identifier: MIT
 *
 * What a mutator may do while it is away, in amp_gc_call(), beside another that allocates and must be stopped for every
 * cycle; what its result keeps; and what the trace says of a mutator that waits.
 *
 *   gc_away CASE */
#include "tests/harness/gc/gc_cases.h"

#include <pthread.h>

#define CHECKS (AMP_GC_POISON | AMP_GC_VERIFY)
#define INNER 4
#define ALLOCATED 50000
#define DEPTH 20
#define CYCLES 100

static struct amp_gc_limits checked(unsigned modes)
{
    return (struct amp_gc_limits){ .gogc = 100, .minimum_b = 1 << 20, .modes = modes };
}

AMP_GROWS(uint64_t, allocate, FRAME, void *n)
{
    for (uint64_t i = 0; i < (uintptr_t) n; i++) {
        struct node *held = amp_gc_alloc(nodes);

        if (!held) {
            amp_stack_call(say_why, NULL);
            return 0;
        }
        held->value = i;
    }
    return (uintptr_t) n;
}

AMP_GROWS(uint64_t, allocates_until_told, FRAME, void *unused)
{
    uint64_t n = 0;

    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 1 && allocate((void *) 100) == 100)
        n++;
    return n + (uintptr_t) unused;
}

AMP_GROWS(uint64_t, calls, FRAME, void *fn)
{
    struct node *held = amp_gc_alloc(nodes);
    uint64_t result;

    held->value = 77;
    result = amp_gc_call((amp_stack_fn *) fn, NULL);
    return held->value == 77 ? result : 0;
}

static void beside_with(unsigned modes, amp_stack_fn *fn)
{
    struct amp_gc_mutator *other;
    uint64_t n = 0;
    int error;

    gc = make(checked(modes));
    amp_gc_mutator_start(gc, "other", NULL, allocates_until_told, NULL, &other);
    wait_for_told(1);
    error = amp_gc_run(gc, "caller", calls, (void *) fn, &n);
    printf("%d %lu, %d\n", error, (unsigned long) n, amp_gc_collect(gc));
    __atomic_store_n(&told, 2, __ATOMIC_RELEASE);
    printf("%d", amp_gc_mutator_join(other, NULL));
    printf(" %d\n", amp_gc_collect(gc)); /* who has ended is not waited for */
    amp_gc_destroy(gc);
}

static void beside(amp_stack_fn *fn)
{
    beside_with(CHECKS, fn);
}

static uint64_t start_and_join(void *unused)
{
    struct amp_gc_mutator *inner[INNER];
    uint64_t sum = 0, n = 0;

    for (unsigned i = 0; i < INNER; i++)
        if (amp_gc_mutator_start(gc, "inner", NULL, allocate, (void *) ALLOCATED, &inner[i]))
            abort();
    for (unsigned i = 0; i < INNER; i++, sum += n)
        if (amp_gc_mutator_join(inner[i], &n))
            abort();
    return sum + (uintptr_t) unused;
}

static void joins(void)
{
    beside(start_and_join);
}

static uint64_t collect(void *unused)
{
    for (unsigned i = 0; i < 10; i++)
        if (amp_gc_collect(gc))
            return 0;
    return 10 + (uintptr_t) unused;
}

static void collects(void)
{
    beside(collect);
}

static uint64_t call_again(void *unused)
{
    return amp_gc_call(collect, unused);
}

static void nested(void)
{
    beside(call_again);
}

static uint64_t allocate_away(void *unused)
{
    return amp_gc_alloc(nodes) ? 0 : say_why(unused) + 1;
}

static void allocates(void)
{
    beside_with(0, allocate_away); /* the fast way */
}

static uint64_t end_thread(void *unused)
{
    (void) unused;
    pthread_exit(NULL);
}

static void ends(void)
{
    beside(end_thread);
}

AMP_GROWS(uint64_t, deep, FRAME, void *n)
{
    return n ? deep((char *) n - 1) + 1 : 0;
}

/* Growable functions while it is away, for some cycles: on a stack that grows, each check that fails asks. */
static uint64_t grow(void *unused)
{
    struct amp_gc_stats stats;
    struct amp_stack *stack;
    const char *why;
    uint64_t n = 0;

    do {
        if (amp_stack_create(NULL, &stack, &why) || amp_stack_run(stack, deep, (void *) DEPTH, &n))
            abort();
        amp_stack_destroy(stack);
        amp_gc_stats(gc, &stats);
    } while (stats.cycles < CYCLES && n == DEPTH && !amp_gc_message(gc)[0]);
    return deep((void *) 1) + (uintptr_t) unused;
}

static void grows(void)
{
    beside(grow);
}

/* ---- Results */

AMP_GROWS(uint64_t, make_list, FRAME, void *n)
{
    struct node *first = NULL;

    for (uint64_t i = 0; i < (uintptr_t) n; i++) {
        struct node *made = amp_gc_alloc(nodes);

        made->value = i;
        amp_gc_store(&made->next, first);
        first = made;
    }
    return (uintptr_t) first;
}

AMP_GROWS(uint64_t, joins_list, FRAME, void *unused)
{
    struct amp_gc_mutator *m;
    uint64_t first, n = 0;

    amp_gc_mutator_start(gc, "maker", NULL, make_list, (void *) LENGTH, &m);
    for (unsigned i = 0; i < 3; i++)
        amp_gc_collect(gc);
    if (amp_gc_mutator_join(m, &first))
        abort();
    amp_gc_collect(gc);
    for (const struct node *at = (const struct node *) first; at && at->value == LENGTH - 1 - n; at = at->next)
        n++;
    return n + (uintptr_t) unused;
}

static void result(void)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < 20; i++) {
        gc = make(checked(CHECKS));
        amp_gc_run(gc, "parent", joins_list, NULL, &n);
        amp_gc_destroy(gc);
        if (n != LENGTH)
            break;
    }
    printf("%lu\n", (unsigned long) n);
}

/* ---- The trace */

static void add_up(void *waited_ns, const struct amp_gc_cycle *cycle)
{
    *(uint64_t *) waited_ns += cycle->waited_ns;
}

static _Thread_local bool is_mutator;
static unsigned ended, by_mutator;

static void note_thread(void *unused, const struct amp_gc_cycle *cycle)
{
    by_mutator += is_mutator;
    __atomic_store_n(&ended, (unsigned) cycle->number, __ATOMIC_RELEASE);
    (void) unused;
}

AMP_GROWS(uint64_t, allocates_for_cycles, FRAME, void *n)
{
    is_mutator = true;
    while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < (uintptr_t) n && !by_mutator)
        allocate((void *) 100);
    return by_mutator;
}

/* The second stop is made by a mutator that comes by, if one does in time. */
static void who_ended(void)
{
    uint64_t n = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .minimum_b = 1 << 20, .trace = { .cycle = note_thread } });
    amp_gc_run(gc, "one", allocates_for_cycles, (void *) 2000, &n);
    printf("%s\n", n > 0 ? "a mutator ends cycles" : "no mutator ends a cycle");
    amp_gc_destroy(gc);
}

AMP_GROWS(uint64_t, exceeds, FRAME, void *n)
{
    return amp_gc_alloc_array(slots, (uintptr_t) n) != NULL;
}

/* The worker may be done before the mutator comes to wait: then again. */
static void waited(void)
{
    uint64_t waited_ns = 0, n = 0;

    for (unsigned i = 0; i < 200 && waited_ns == 0; i++) {
        gc = make((struct amp_gc_limits){ .gogc = 100, .trace = { .cycle = add_up, .arg = &waited_ns } });
        amp_gc_run(gc, "one", exceeds, (void *) (1 << 20), &n); /* twice the goal */
        amp_gc_destroy(gc);
    }
    printf("%lu %s\n", (unsigned long) n, waited_ns > 0 ? "waited" : "nobody waited");
}

#define TABLE_B (8 * LENGTH)

/* So many tables become grey by stores alone, behind marking. */
AMP_GROWS(uint64_t, lets_tables_go, FRAME, void *n)
{
    void **all = amp_gc_alloc_array(slots, (uintptr_t) n);

    amp_gc_store(&root, all);
    for (uintptr_t i = 0; i < (uintptr_t) n; i++)
        amp_gc_store(&all[i], amp_gc_alloc_array(slots, LENGTH));
    amp_gc_step(gc, 0);
    for (uintptr_t i = 0; i < (uintptr_t) n; i++)
        amp_gc_store(&all[i], NULL);
    while (amp_gc_step(gc, 1) > 0)
        ;
    return 0;
}

static void note_stops(void *stops, const struct amp_gc_cycle *cycle)
{
    *(unsigned *) stops = cycle->stops;
}

/* The second stop is tried again rather than made long by few objects that are large. */
static void large(void)
{
    static const uintptr_t tables[] = { 2, 20 };
    unsigned stops = 0;

    for (unsigned i = 0; i < 2; i++) {
        gc = make((struct amp_gc_limits){ .gogc = 1000, .modes = AMP_GC_STEP,
                                          .trace = { .cycle = note_stops, .arg = &stops } });
        amp_gc_run(gc, "one", lets_tables_go, (void *) tables[i], NULL);
        printf("%zu B in %u stops\n", (size_t) tables[i] * TABLE_B, stops);
        amp_gc_destroy(gc);
    }
}

AMP_GROWS(uint64_t, allocates_one, FRAME, void *unused)
{
    return amp_gc_alloc(nodes) ? (uintptr_t) unused : 1;
}

static void short_lives(void)
{
    struct amp_gc_stats stats;

    gc = make(AMP_GC_DEFAULTS);
    for (unsigned i = 0; i < 100; i++)
        amp_gc_run(gc, "one", allocates_one, NULL, NULL);
    amp_gc_stats(gc, &stats);
    printf("%lu allocated, heap %s spans\n", (unsigned long) stats.allocated_objects,
           stats.peak_heap_b <= stats.peak_span_b ? "within" : "beyond");
    amp_gc_destroy(gc);
}

static void many(void)
{
    struct amp_gc *all[64];

    for (unsigned i = 0; i < 64; i++)
        all[i] = make((struct amp_gc_limits){ .gogc = 100, .reserve_b = 1 << 20 });
    make(AMP_GC_DEFAULTS);
    for (unsigned i = 0; i < 64; i++)
        amp_gc_destroy(all[i]);
}

static const struct example examples[] = {
    { "joins", joins },
    { "collects", collects },
    { "nested", nested },
    { "allocates", allocates },
    { "ends_away", ends },
    { "grows", grows },
    { "result", result },
    { "waited", waited },
    { "ended", who_ended },
    { "short", short_lives },
    { "large", large },
    { "many", many },
};

int main(int argc, char **argv)
{
    return run_case(examples, sizeof examples / sizeof *examples, argc, argv);
}
