/* SPDX-License-Identifier: MIT
 *
 * What a collector refuses, and what it says; and that nothing is corrupted by it. Each case prints what it found:
 *
 *   gc_cases CASE */
#include "harness/gc/gc.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAME 1024
#define LENGTH 2000

struct node {
    struct node *next, *other;
    uint64_t value;
};

static const uint16_t in_node[] = { 0, 1 }, in_slot[] = { 0 };
static const struct amp_gc_type node = { "node", sizeof(struct node), in_node, 2 }, slot = { "slot", 8, in_slot, 1 };
static unsigned nodes, slots;
static struct amp_gc *gc;
static void *root;
static uint32_t told;

static uint64_t say(void *text)
{
    printf("%s\n", (const char *) text);
    fflush(stdout);
    return 0;
}

static uint64_t say_why(void *unused)
{
    (void) unused;
    return say((void *) amp_gc_message(gc));
}

static struct amp_gc *make(struct amp_gc_limits limits)
{
    struct amp_gc *made = NULL;
    const char *why;
    int error = amp_gc_create(&limits, &made, &why);

    if (error) {
        printf("%s: %s\n", strerror(-error), why);
        return NULL;
    }
    if (amp_gc_type_add(made, &node, &nodes) || amp_gc_type_add(made, &slot, &slots) ||
        amp_gc_root_add(made, "root", &root, sizeof root))
        abort();
    return made;
}

static void report(int error)
{
    printf("%s: %s\n", error ? strerror(-error) : "no error", amp_gc_message(gc));
}

/* A list in the root, whose values tell whether it is whole. */
AMP_GROWS(uint64_t, build, FRAME, void *length)
{
    for (uint64_t i = 0; i < (uintptr_t) length; i++) {
        struct node *made = amp_gc_alloc(nodes);

        if (!made) {
            amp_stack_call(say_why, NULL);
            return i;
        }
        made->value = i;
        amp_gc_store(&made->next, root);
        amp_gc_store(&root, made);
    }
    return (uintptr_t) length;
}

static uint64_t count(void)
{
    uint64_t n = 0;

    for (struct node *at = root; at; at = at->next)
        n++;
    for (struct node *at = root; at; at = at->next)
        if (at->value + 1 != n--)
            abort();
    return ((struct node *) root)->value + 1;
}

/* ---- Cases */

static void gogc(void)
{
    for (const int *value = (const int[]){ 0, -1, 10001, 0 }, *end = value + 3; value < end; value++)
        make((struct amp_gc_limits){ .gogc = *value });
    gc = make(AMP_GC_DEFAULTS);
    report(amp_gc_gogc_set(gc, -100));
    amp_gc_destroy(gc);
}

static void sizes(void)
{
    make((struct amp_gc_limits){ .gogc = 100, .heap_b = 4096 });
    make((struct amp_gc_limits){ .gogc = 100, .heap_b = (size_t) 1 << 31, .reserve_b = (size_t) 1 << 30 });
    make((struct amp_gc_limits){ .gogc = 100, .reserve_b = (size_t) 1 << 45 });
    make((struct amp_gc_limits){ .gogc = 100, .modes = 64 });
}

static void limit(void)
{
    uint64_t n;

    gc = make((struct amp_gc_limits){ .gogc = 100, .heap_b = 2 << 20 });
    amp_gc_run(gc, "builder", build, (void *) 1000000, &n);
    printf("%s\n", count() == n && n > 30000 ? "the list is whole" : "the list is broken");
    root = NULL;
    amp_gc_run(gc, "builder", build, (void *) 1000, &n);
    printf("%lu more\n", (unsigned long) n);
    amp_gc_destroy(gc);
}

AMP_GROWS(uint64_t, ask_for_nothing, FRAME, void *unused)
{
    static const unsigned types[] = { 0, 77, 1 };

    for (unsigned i = 0; i < 2; i++)
        if (!amp_gc_alloc(types[i]))
            amp_stack_call(say_why, NULL);
    if (!amp_gc_alloc_array(nodes, 0))
        amp_stack_call(say_why, NULL);
    if (!amp_gc_alloc_array(nodes, SIZE_MAX / 8))
        amp_stack_call(say_why, NULL);
    return (uintptr_t) unused;
}

static void descriptor(void)
{
    static const uint16_t beyond[] = { 3 }, twice[] = { 1, 1 };
    static const struct amp_gc_type wrong[] = {
        { NULL, 8, NULL, 0 }, { "empty", 0, NULL, 0 }, { "odd", 20, in_slot, 1 }, { "short", 24, beyond, 1 }, { "twice", 24, twice, 2 },
    };
    unsigned id;

    gc = make(AMP_GC_DEFAULTS);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        report(amp_gc_type_add(gc, &wrong[i], &id));
    report(amp_gc_root_add(gc, "crooked", (char *) &root + 1, 8));
    amp_gc_run(gc, "asker", ask_for_nothing, NULL, NULL);
    if (!amp_gc_alloc(nodes))
        printf("%s\n", amp_gc_message(NULL));
    amp_gc_destroy(gc);
}

static struct node *foreign;

AMP_GROWS(uint64_t, take_foreign, FRAME, void *unused)
{
    struct node *mine = amp_gc_alloc(nodes);

    amp_gc_store(&root, mine);
    amp_gc_store(&mine->next, foreign);
    return (uintptr_t) unused;
}

AMP_GROWS(uint64_t, make_foreign, FRAME, void *unused)
{
    foreign = amp_gc_alloc(nodes);
    return (uintptr_t) unused;
}

static void another(void)
{
    struct amp_gc *other = make(AMP_GC_DEFAULTS);

    amp_gc_run(other, "other", make_foreign, NULL, NULL);
    gc = make(AMP_GC_DEFAULTS);
    amp_gc_run(gc, "mine", take_foreign, NULL, NULL);
    report(amp_gc_collect(gc));
    amp_gc_destroy(gc);
    amp_gc_destroy(other);
}

static uint64_t leave(void *unused)
{
    (void) unused;
    pthread_exit(NULL);
}

AMP_GROWS(uint64_t, ends, FRAME, void *unused)
{
    build((void *) 100);
    return amp_stack_call(leave, unused);
}

static void ends_in_the_middle(void)
{
    uint64_t n = 0;

    gc = make(AMP_GC_DEFAULTS);
    report(amp_gc_run(gc, "leaver", ends, NULL, &n));
    root = NULL;
    amp_gc_run(gc, "builder", build, (void *) LENGTH, &n);
    if (amp_gc_collect(gc))
        abort();
    printf("%lu\n", (unsigned long) count());
    amp_gc_destroy(gc);
}

AMP_GROWS(uint64_t, spins_for_ever, FRAME, void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 1)
        ;
    return (uintptr_t) unused;
}

static void wait_for_told(uint32_t value)
{
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) != value)
        usleep(100);
}

static void never_stops(void)
{
    struct amp_gc_mutator *m;
    uint64_t n;

    gc = make((struct amp_gc_limits){ .gogc = 100, .patience_ms = 50 });
    amp_gc_run(gc, "builder", build, (void *) LENGTH, &n);
    amp_gc_mutator_start(gc, "spinner", NULL, spins_for_ever, NULL, &m);
    wait_for_told(1);
    report(amp_gc_destroy(gc));
    report(amp_gc_collect(gc));
    told = 2;
    printf("%s\n", amp_gc_mutator_join(m, NULL) ? "not joined" : "joined");
    printf("%lu\n", (unsigned long) count());
    amp_gc_destroy(gc);
}

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
    told = 2;
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

static void end_thread(int signal)
{
    (void) signal;
    pthread_exit(NULL);
}

/* The thread of this process that the collector's worker is. */
static pid_t worker(void)
{
    DIR *tasks = opendir("/proc/self/task");
    char path[300], name[32];
    pid_t found = 0;

    for (struct dirent *entry; (entry = readdir(tasks));) {
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file && fgets(name, sizeof name, file) && strcmp(name, "ampersand-gc\n") == 0)
            found = (pid_t) atoi(entry->d_name);
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return found;
}

static void worker_killed(void)
{
    uint64_t n;
    pid_t thread;

    signal(SIGUSR1, end_thread);
    gc = make(AMP_GC_DEFAULTS);
    amp_gc_run(gc, "builder", build, (void *) LENGTH, &n);
    if (amp_gc_collect(gc)) /* it runs by now */
        abort();
    thread = worker();
    syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
    while (worker())
        usleep(100);
    report(amp_gc_collect(gc));
    printf("%lu\n", (unsigned long) count());
    amp_gc_destroy(gc);
}

AMP_GROWS(uint64_t, wide, FRAME, void *n)
{
    void **all = amp_gc_alloc_array(slots, (uintptr_t) n);

    amp_gc_store(&root, all);
    for (uintptr_t i = 0; i < (uintptr_t) n; i++) {
        struct node *made = amp_gc_alloc(nodes);

        if (!made) {
            amp_stack_call(say_why, NULL);
            return i;
        }
        made->value = i;
        amp_gc_store(&all[i], made);
    }
    return (uintptr_t) n;
}

static void queue(void)
{
    uint64_t n = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .minimum_b = 64 << 20, .queue_b = 3 * 8192 });
    amp_gc_run(gc, "builder", wide, (void *) 20000, &n);
    report(amp_gc_collect(gc));
    for (uint64_t i = 0; i < n; i++)
        if (((struct node **) root)[i]->value != i)
            abort();
    printf("%lu\n", (unsigned long) n);
    amp_gc_destroy(gc);
    make((struct amp_gc_limits){ .gogc = 100, .queue_b = 1 });
}

static void step(void)
{
    struct amp_gc_mutator *first, *second;

    gc = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_STEP });
    amp_gc_mutator_start(gc, "first", NULL, build, (void *) 10, &first);
    report(amp_gc_mutator_start(gc, "second", NULL, build, (void *) 10, &second));
    amp_gc_mutator_join(first, NULL);
    amp_gc_destroy(gc);
    gc = make(AMP_GC_DEFAULTS);
    report(amp_gc_step(gc, 1));
    amp_gc_destroy(gc);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    { "gogc", gogc },           { "sizes", sizes },   { "limit", limit },   { "descriptor", descriptor },
    { "another", another },     { "ends", ends_in_the_middle },             { "never_stops", never_stops },
    { "polled", polled },       { "called", called }, { "away", away },     { "bursts", bursts },       { "middle", middle },
    { "reused", reused },       { "host", host },           { "worker_killed", worker_killed },
    { "queue", queue },         { "step", step },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (argc == 2 && strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    return 2;
}
