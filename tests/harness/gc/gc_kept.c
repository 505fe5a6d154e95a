/* SPDX-License-Identifier: MIT
 *
 * What must be kept, wherever the only pointer to it is, and mutators that must stop, whatever they do.
 *
 *   gc_kept CASE */
#include "tests/harness/gc/gc_cases.h"

#include <time.h>

AMP_GROWS(uint64_t, polls_for_ever, FRAME, void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 1)
        amp_gc_poll();
    return (uintptr_t) unused;
}

AMP_GROWS(uint64_t, leaf, 64, uint64_t n)
{
    __asm__ volatile("" : "+r"(n));
    return n;
}

AMP_GROWS(uint64_t, calls_for_ever, FRAME, void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (leaf(__atomic_load_n(&told, __ATOMIC_ACQUIRE)) == 1)
        ;
    return (uintptr_t) unused;
}

static uint64_t waits(void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    wait_for_told(2);
    return (uintptr_t) unused;
}

AMP_GROWS(uint64_t, is_away, FRAME, void *held)
{
    struct node *mine = amp_gc_alloc(nodes); /* nobody else has it */

    mine->value = 77;
    amp_gc_call(waits, held);
    return mine->value;
}

static void stops(amp_stack_fn *fn)
{
    struct amp_gc_mutator *m;
    struct amp_gc_stats stats;
    uint64_t n = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_POISON | AMP_GC_VERIFY });
    amp_gc_mutator_start(gc, "one", NULL, fn, NULL, &m);
    wait_for_told(1);
    for (unsigned i = 0; i < 20; i++)
        if (amp_gc_collect(gc))
            abort();
    __atomic_store_n(&told, 2, __ATOMIC_RELEASE);
    amp_gc_mutator_join(m, &n);
    amp_gc_stats(gc, &stats);
    printf("%lu cycles, %lu\n", (unsigned long) stats.cycles, (unsigned long) n);
    amp_gc_destroy(gc);
}

static void polled(void)
{
    stops(polls_for_ever);
}

static void called(void)
{
    stops(calls_for_ever);
}

static void away(void)
{
    stops(is_away);
}

/* ---- Whose CPU time a long stop is: it begins, and only then the mutator computes or sleeps, for LONG_NS. */
#define LONG_NS 20000000

static uint64_t time_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

static uint64_t computes(void *unused)
{
    const uint64_t begin_ns = time_ns(CLOCK_THREAD_CPUTIME_ID);

    while (time_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns < LONG_NS)
        ;
    return (uintptr_t) unused;
}

static uint64_t sleeps(void *unused)
{
    nanosleep(&(struct timespec){ 0, LONG_NS }, NULL);
    return (uintptr_t) unused;
}

AMP_GROWS(uint64_t, is_long, FRAME, void *how)
{
    amp_stack_call(computes, NULL); /* before, which does not count */
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&amp_gc_asked, __ATOMIC_RELAXED))
        ;
    amp_stack_call(*(amp_stack_fn **) how, NULL);
    amp_gc_poll();
    return 0;
}

static void note_first_stop(void *cycle, const struct amp_gc_cycle *c)
{
    if (c->number == 1)
        *(struct amp_gc_cycle *) cycle = *c;
}

static void owed(void)
{
    amp_stack_fn *ways[] = { computes, sleeps };

    for (unsigned i = 0; i < 2; i++) {
        struct amp_gc_cycle cycle = { 0 };
        struct amp_gc_mutator *m;

        told = 0;
        gc = make((struct amp_gc_limits){ .gogc = 100, .trace = { .cycle = note_first_stop, .arg = &cycle } });
        amp_gc_mutator_start(gc, "one", NULL, is_long, &ways[i], &m);
        wait_for_told(1);
        if (amp_gc_collect(gc) || amp_gc_mutator_join(m, NULL) || amp_gc_destroy(gc))
            abort();
        printf("%d %d\n", cycle.go1_ns - cycle.stop1_ns >= LONG_NS, cycle.stop1_cpu_ns >= LONG_NS / 2);
    }
}

/* On the host stack, and nowhere else. */
static uint64_t hold(void *unused)
{
    struct node *volatile held = amp_gc_alloc(nodes);
    struct node *other;

    held->value = 78;
    for (unsigned i = 0; i < 3; i++)
        if (amp_gc_collect(gc))
            abort();
    other = amp_gc_alloc(nodes);
    other->value = 1;
    (void) unused;
    return held->value;
}

AMP_GROWS(uint64_t, holds_on_host, FRAME, void *unused)
{
    return amp_stack_call(hold, unused);
}

static void host(void)
{
    uint64_t n = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_POISON });
    amp_gc_run(gc, "holder", holds_on_host, NULL, &n);
    printf("%lu\n", (unsigned long) n);
    amp_gc_destroy(gc);
}

/* In a register that a function must keep, and nowhere else; on AArch64 in one for floating point, where a compiler
 * puts an address if it has no other left. */
#if defined(__aarch64__)
#define HIDE(at) __asm__ volatile("fmov d8, %0" : : "r"(at))
#define FIND(at) __asm__ volatile("fmov %0, d8" : "=r"(at) : : "v8")
#else
#define HIDE(at) __asm__ volatile("movq %0, %%r15" : : "r"(at))
#define FIND(at) __asm__ volatile("movq %%r15, %0" : "=r"(at) : : "r15")
#endif

AMP_GROWS(uint64_t, hide, FRAME, uint64_t value)
{
    struct node *made = amp_gc_alloc(nodes);

    made->value = value;
    HIDE(made); /* in its caller's register: the compiler is not told */
    return value;
}

AMP_GROWS(uint64_t, holds_in_a_register, FRAME, void *unused)
{
    struct node *held;

    hide(79);
    for (unsigned i = 0; i < 3; i++)
        if (amp_gc_collect(gc))
            abort();
    amp_gc_alloc(nodes);
    FIND(held);
    return held->value + (uintptr_t) unused;
}

static void in_a_register(void)
{
    uint64_t n = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_POISON });
    amp_gc_run(gc, "holder", holds_in_a_register, NULL, &n);
    printf("%lu\n", (unsigned long) n);
    amp_gc_destroy(gc);
}

/* More objects than a block holds become grey by stores alone, and hang on nothing that was marked before. */
AMP_GROWS(uint64_t, burst, FRAME, void *unused)
{
    void **from = amp_gc_alloc_array(slots, LENGTH), **to;
    uint64_t sum = 0;

    amp_gc_store(&root, from);
    for (unsigned i = 0; i < LENGTH; i++) {
        amp_gc_store(&from[i], amp_gc_alloc(nodes));
        amp_gc_store(&((struct node *) from[i])->next, amp_gc_alloc(nodes));
        ((struct node *) from[i])->next->value = i;
    }
    from = NULL;
    amp_gc_step(gc, 0);
    to = amp_gc_alloc_array(slots, LENGTH);
    from = root;
    for (unsigned i = 0; i < LENGTH; i++) {
        amp_gc_store(&to[i], from[i]);
        amp_gc_store(&from[i], NULL);
    }
    amp_gc_store(&root, to);
    while (amp_gc_step(gc, 1000000) > 0)
        ;
    amp_gc_collect(gc);
    for (unsigned i = 0; i < LENGTH; i++)
        sum += ((struct node *) to[i])->next->value;
    return sum + (uintptr_t) unused;
}

static void bursts(void)
{
    uint64_t sum = 0;

    gc = make((struct amp_gc_limits){ .gogc = 1000, .modes = AMP_GC_POISON | AMP_GC_VERIFY | AMP_GC_STEP });
    amp_gc_run(gc, "one", burst, NULL, &sum);
    printf("%s\n", sum == (uint64_t) LENGTH * (LENGTH - 1) / 2 ? "whole" : "broken");
    amp_gc_destroy(gc);
}

#define MIDDLES 50

AMP_GROWS(void, take_middles, FRAME, char **middles)
{
    for (uint64_t i = 0; i < MIDDLES; i++) {
        struct node *made = amp_gc_alloc(nodes);

        made->value = i;
        middles[i] = (char *) made + 9;
    }
}

AMP_GROWS(uint64_t, keeps_middles, FRAME, void *unused)
{
    char *middles[MIDDLES];
    uint64_t sum = 0;

    take_middles(middles);
    __asm__ volatile("" : : "r"(middles) : "memory");
    amp_gc_collect(gc);
    for (unsigned i = 0; i < MIDDLES; i++)
        sum += ((struct node *) (void *) (middles[i] - 9))->value;
    return sum + (uintptr_t) unused;
}

static void middle(void)
{
    uint64_t sum = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_POISON | AMP_GC_VERIFY });
    amp_gc_run(gc, "one", keeps_middles, NULL, &sum);
    printf("%lu\n", (unsigned long) sum);
    amp_gc_destroy(gc);
}

/* One node of eight stays in each span: its slots are used again. */
AMP_GROWS(uint64_t, fragments, FRAME, void *unused)
{
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 40000; i++) {
            struct node *made = amp_gc_alloc(nodes);

            if (i % 8 == 0) {
                amp_gc_store(&made->next, root);
                amp_gc_store(&root, made);
            }
            if (i == 39999)
                amp_gc_collect(gc);
        }
    return (uintptr_t) unused;
}

static void reused(void)
{
    struct amp_gc_stats stats;

    gc = make((struct amp_gc_limits){ .gogc = 1000 });
    amp_gc_run(gc, "one", fragments, NULL, NULL);
    amp_gc_stats(gc, &stats);
    printf("%s\n", stats.peak_span_b < 55000 * 32 ? "used again" : "never used again");
    amp_gc_destroy(gc);
}

/* So many nodes in front of the list, and as many that are dropped. */
AMP_GROWS(uint64_t, links_and_drops, FRAME, void *n)
{
    uint64_t length = 0;

    for (uint64_t i = 0; i < (uintptr_t) n; i++) {
        struct node *made = amp_gc_alloc(nodes);

        amp_gc_alloc(nodes);
        amp_gc_store(&made->next, root);
        amp_gc_store(&root, made);
    }
    for (const struct node *at = root; at; at = at->next)
        length++;
    return length;
}

/* A mutator of this thread, run three times: no stack keeps anything between two runs. */
static void here(void)
{
    struct amp_gc_mutator *first, *second;
    struct amp_gc_stats stats;
    uint64_t length = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_POISON | AMP_GC_VERIFY | AMP_GC_STEP });
    if (amp_gc_mutator_make(gc, "first", NULL, &first) || amp_gc_mutator_make(gc, "second", NULL, &second))
        abort();
    for (unsigned i = 0; i < 3; i++) {
        if (amp_gc_mutator_run(i == 1 ? second : first, links_and_drops, (void *) 1000, &length) || amp_gc_collect(gc))
            abort();
        amp_gc_stats(gc, &stats);
        printf("%lu linked, %lu allocated, %lu freed\n", (unsigned long) length,
               (unsigned long) stats.allocated_objects, (unsigned long) stats.freed_objects);
    }
    amp_gc_mutator_free(first);
    amp_gc_mutator_free(second);
    printf("%d\n", amp_gc_destroy(gc));
}

static uint64_t runs_another(void *other)
{
    printf("%d", amp_gc_mutator_run(other, polls_for_ever, NULL, NULL));
    printf(" %s\n", amp_gc_message(NULL));
    return 0;
}

AMP_GROWS(uint64_t, is_run_within, FRAME, void *other)
{
    amp_gc_call(runs_another, other);
    return amp_gc_collect(gc) == 0 && amp_gc_alloc(nodes) != NULL;
}

/* A mutator within another is refused, and the other one goes on. */
static void within(void)
{
    struct amp_gc_mutator *other;
    uint64_t n = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100 });
    if (amp_gc_mutator_make(gc, "other", NULL, &other))
        abort();
    amp_gc_run(gc, "one", is_run_within, other, &n);
    amp_gc_mutator_free(other);
    printf("%lu allocated, %d\n", (unsigned long) n, amp_gc_destroy(gc));
}

static const struct example examples[] = {
    { "within", within },
    { "here", here },
    { "polled", polled },
    { "called", called },
    { "away", away },
    { "bursts", bursts },
    { "middle", middle },
    { "reused", reused },
    { "owed", owed },
    { "host", host },
    { "register", in_a_register },
};

int main(int argc, char **argv)
{
    return run_case(examples, sizeof examples / sizeof *examples, argc, argv);
}
