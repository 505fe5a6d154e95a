/* SPDX-License-Identifier: MIT
 *
 * What a collector refuses, and what it says; and that nothing is corrupted by it.
 *
 *   gc_cases CASE */
#include "tests/harness/gc/gc_cases.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

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
        { NULL, 8, NULL, 0 },        { "empty", 0, NULL, 0 },   { "odd", 20, in_slot, 1 },
        { "short", 24, beyond, 1 }, { "twice", 24, twice, 2 },
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

AMP_GROWS(uint64_t, make_every_kind, FRAME, void *unused)
{
    for (unsigned type = 1; type <= AMP_GC_TYPES; type++)
        for (uint64_t n = 1; n < 4000; n += n / 4 + 1)
            if (!amp_gc_alloc_array(type, n))
                return amp_stack_call(say_why, NULL);
    return (uintptr_t) unused;
}

static void kinds(void)
{
    static const struct amp_gc_type word = { "word", 8, NULL, 0 };
    unsigned id;

    gc = make(AMP_GC_DEFAULTS);
    while (!amp_gc_type_add(gc, &word, &id))
        ;
    report(amp_gc_type_add(gc, &word, &id));
    amp_gc_run(gc, "maker", make_every_kind, NULL, NULL);
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
    __atomic_store_n(&told, 2, __ATOMIC_RELEASE);
    printf("%s\n", amp_gc_mutator_join(m, NULL) ? "not joined" : "joined");
    printf("%lu\n", (unsigned long) count());
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

AMP_GROWS(uint64_t, allocates_on, FRAME, void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (amp_gc_alloc(nodes))
        ;
    return (uintptr_t) unused;
}

/* At any moment of a cycle, while a mutator runs. */
static void killed_often(void)
{
    struct amp_gc_mutator *m;
    unsigned times = 0;

    signal(SIGUSR1, end_thread);
    for (unsigned i = 0; i < 2000; i++) {
        pid_t thread = 0;

        __atomic_store_n(&told, 0, __ATOMIC_RELEASE);
        gc = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_COLLECT });
        amp_gc_mutator_start(gc, "one", NULL, allocates_on, NULL, &m);
        wait_for_told(1);
        while (!thread)
            thread = worker();
        for (volatile unsigned spin = i * 997 % 50000; spin > 0; spin--)
            ;
        syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
        times += amp_gc_mutator_join(m, NULL) == 0 && strstr(amp_gc_message(gc), "the worker has ended") != NULL;
        amp_gc_destroy(gc);
    }
    printf("%u times\n", times);
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

static const struct example examples[] = {
    { "gogc", gogc },
    { "sizes", sizes },
    { "limit", limit },
    { "descriptor", descriptor },
    { "kinds", kinds },
    { "another", another },
    { "ends", ends_in_the_middle },
    { "never_stops", never_stops },
    { "worker_killed", worker_killed },
    { "killed_often", killed_often },
    { "queue", queue },
    { "step", step },
};

int main(int argc, char **argv)
{
    return run_case(examples, sizeof examples / sizeof *examples, argc, argv);
}
