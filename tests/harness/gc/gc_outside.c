/* SPDX-License-Identifier: MIT
 *
 * What comes from outside: a process that forks, or stands still; a mutator that goes on in another thread, or stands
 * still while it is marked; callbacks that set errno.
 *
 *   gc_outside CASE */
#include "tests/harness/gc/gc_cases.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define STACK_B ((size_t) 256 << 10)
#define FORKS 20
#define HOUR 3600

AMP_GROWS(uint64_t, build, FRAME, void *length)
{
    for (uint64_t i = 0; i < (uintptr_t) length; i++) {
        struct node *made = amp_gc_alloc(nodes);

        if (!made)
            return i;
        made->value = i;
        amp_gc_store(&made->next, root);
        amp_gc_store(&root, made);
    }
    return (uintptr_t) length;
}

static bool is_whole(uint64_t n)
{
    for (const struct node *at = root; at; at = at->next)
        if (at->value != --n)
            return false;
    return n == 0;
}

AMP_GROWS(uint64_t, allocates_until_told, FRAME, void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 1)
        if (!amp_gc_alloc(nodes))
            return amp_stack_call(say_why, unused);
    return (uintptr_t) unused;
}

/* ---- libc's, which collector and program call here. The clock can be put forward; and something can be done when a
 * mutator that has joined in, but not begun, sets up its stack for signals. */

static uint32_t hours, looks;
static void (*in_between)(void);

int clock_gettime(clockid_t clock, struct timespec *out)
{
    const uint32_t ahead = __atomic_load_n(&hours, __ATOMIC_ACQUIRE);
    const int error = (int) syscall(SYS_clock_gettime, clock, out);

    if (clock == CLOCK_MONOTONIC) {
        out->tv_sec += ahead * HOUR;
        __atomic_add_fetch(&looks, 1, __ATOMIC_RELEASE);
    }
    return error;
}

int sigaltstack(const stack_t *to, stack_t *before)
{
    void (*fn)(void) = in_between;

    in_between = NULL;
    if (fn)
        fn();
    return (int) syscall(SYS_sigaltstack, to, before);
}

/* ---- Cases */

static void collect(void)
{
    if (amp_gc_collect(gc))
        abort();
}

static void *run_here(void *m)
{
    if (amp_gc_mutator_run(m, build, (void *) LENGTH, NULL))
        abort();
    return NULL;
}

/* The stack of the first thread is gone when the collector looks at the mutator again. */
static void elsewhere(void)
{
    void *stack = mmap(NULL, STACK_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct amp_gc_mutator *m;
    pthread_attr_t on_stack;
    pthread_t thread;

    gc = make(AMP_GC_DEFAULTS);
    if (amp_gc_mutator_make(gc, "one", NULL, &m) || pthread_attr_init(&on_stack) ||
        pthread_attr_setstack(&on_stack, stack, STACK_B) || pthread_create(&thread, &on_stack, run_here, m) ||
        pthread_join(thread, NULL) || munmap(stack, STACK_B))
        abort();
    root = NULL;
    in_between = collect;
    run_here(m);
    printf("%s\n", is_whole(LENGTH) ? "whole" : "broken");
    amp_gc_mutator_free(m);
    amp_gc_destroy(gc);
}

static uint64_t run_again(void *m)
{
    return (uint64_t) -amp_gc_mutator_run(m, build, NULL, NULL);
}

static void *run_it_again(void *m)
{
    printf("%d %s\n", (int) run_again(m), amp_gc_message(NULL));
    return NULL;
}

static uint64_t lets_another_run(void *m)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, run_it_again, m) || pthread_join(thread, NULL);
}

AMP_GROWS(uint64_t, is_run_twice, FRAME, void *m)
{
    amp_gc_call(lets_another_run, m);
    return amp_gc_collect(gc) == 0 && amp_gc_alloc(nodes) != NULL;
}

static void twice(void)
{
    struct amp_gc_mutator *m;
    uint64_t n = 0;

    gc = make(AMP_GC_DEFAULTS);
    if (amp_gc_mutator_make(gc, "one", NULL, &m) || amp_gc_mutator_run(m, is_run_twice, m, &n))
        abort();
    amp_gc_mutator_free(m);
    printf("%lu, %d\n", (unsigned long) n, amp_gc_destroy(gc));
}

AMP_GROWS(uint64_t, spins_while_it_marks, FRAME, void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&amp_gc_barrier, __ATOMIC_ACQUIRE))
        amp_gc_poll();
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 1)
        ;
    return (uintptr_t) unused;
}

static void spins_in_marking(void)
{
    struct amp_gc_mutator *m;
    uint64_t n;

    gc = make((struct amp_gc_limits){ .gogc = 100, .patience_ms = 50 });
    amp_gc_run(gc, "builder", build, (void *) LENGTH, &n);
    amp_gc_mutator_start(gc, "spinner", NULL, spins_while_it_marks, NULL, &m);
    wait_for_told(1);
    report(amp_gc_collect(gc));
    __atomic_store_n(&told, 2, __ATOMIC_RELEASE);
    printf("%s, %s\n", amp_gc_mutator_join(m, NULL) ? "not joined" : "joined", is_whole(n) ? "whole" : "broken");
    amp_gc_destroy(gc);
}

static void let_look(uint32_t times)
{
    const uint32_t before = __atomic_load_n(&looks, __ATOMIC_ACQUIRE);

    while (__atomic_load_n(&looks, __ATOMIC_ACQUIRE) - before < times)
        ;
}

/* Asked to stop, and waited for, it lets an hour pass in which nobody runs, as in a debugger, until the other thread
 * has looked at its clock. */
AMP_GROWS(uint64_t, sleeps_for_an_hour, FRAME, void *unused)
{
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&amp_gc_asked, __ATOMIC_RELAXED))
        ;
    let_look(6);
    __atomic_store_n(&hours, 1, __ATOMIC_RELEASE);
    let_look(1);
    amp_gc_poll();
    return (uintptr_t) unused;
}

static void stood_still(void)
{
    struct amp_gc_mutator *m;

    gc = make((struct amp_gc_limits){ .gogc = 100, .patience_ms = 600000 });
    amp_gc_mutator_start(gc, "sleeper", NULL, sleeps_for_an_hour, NULL, &m);
    wait_for_told(1);
    report(amp_gc_collect(gc));
    printf("%d\n", amp_gc_mutator_join(m, NULL));
    amp_gc_destroy(gc);
}

/* ---- Fork */

static int check_child(uint64_t n)
{
    if (amp_gc_collect(gc) != -ECHILD || !is_whole(n))
        return 1;
    return strcmp(amp_gc_message(gc), "this process was forked: only its parent can collect") != 0;
}

static uint64_t wait_for(void *child)
{
    int status;

    return waitpid((pid_t) (uintptr_t) child, &status, 0) > 0 && status == 0;
}

/* A child that waits for ever ends with its parent. */
static pid_t fork_child(void)
{
    const pid_t child = fork();

    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

static uint64_t fork_here(void *unused)
{
    (void) unused;
    return (uint64_t) fork_child();
}

static uint64_t end_child(void *unused)
{
    (void) unused;
    _exit(check_child(LENGTH));
}

AMP_GROWS(uint64_t, forks, FRAME, void *unused)
{
    uint64_t good = 0;

    for (unsigned i = 0; i < FORKS; i++) {
        const uint64_t child = amp_stack_call(fork_here, unused);

        while (child == 0 && amp_gc_alloc(nodes))
            ;
        if (child == 0)
            amp_stack_call(end_child, unused);
        good += amp_gc_call(wait_for, (void *) child);
    }
    return good;
}

static void forked(void)
{
    struct amp_gc_mutator *other;
    uint64_t good = 0, from_outside = 0;

    gc = make((struct amp_gc_limits){ .gogc = 25, .minimum_b = 1 << 20 });
    amp_gc_run(gc, "builder", build, (void *) LENGTH, NULL);
    amp_gc_mutator_start(gc, "other", NULL, allocates_until_told, NULL, &other);
    wait_for_told(1);
    amp_gc_run(gc, "parent", forks, NULL, &good);
    for (unsigned i = 0; i < FORKS; i++) {
        const pid_t child = fork_child();

        if (child == 0)
            _exit(check_child(LENGTH));
        from_outside += wait_for((void *) (uintptr_t) child);
    }
    __atomic_store_n(&told, 2, __ATOMIC_RELEASE);
    printf("%lu %lu, %d", (unsigned long) good, (unsigned long) from_outside, amp_gc_mutator_join(other, NULL));
    printf(" %d\n", amp_gc_collect(gc));
    amp_gc_destroy(gc);
}

/* ---- errno */

static _Thread_local bool is_mutator;
static uint32_t ended; /* by a mutator */

static void disturb(void *unused, const struct amp_gc_cycle *cycle)
{
    (void) unused;
    (void) cycle;
    if (is_mutator)
        __atomic_add_fetch(&ended, 1, __ATOMIC_RELEASE);
    errno = EDOM;
}

AMP_GROWS(uint64_t, leaf, 64, uint64_t n)
{
    __asm__ volatile("" : "+r"(n));
    return n;
}

AMP_GROWS(uint64_t, looks_at_errno, FRAME, void *unused)
{
    int *error = &errno;

    is_mutator = true;
    __atomic_store_n(&told, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 1 && __atomic_load_n(&ended, __ATOMIC_RELAXED) < 2) {
        *error = ERANGE;
        if (__atomic_load_n(&ended, __ATOMIC_RELAXED) == 0)
            amp_gc_poll();
        else
            leaf(1);
        if (*error != ERANGE)
            return (uint64_t) *error;
    }
    return (uintptr_t) unused;
}

/* Of cycles that the mutator ends, one at a poll, one where a function is entered. */
static void keeps_errno(void)
{
    struct amp_gc_mutator *m;
    uint64_t found = 1;

    gc = make((struct amp_gc_limits){ .gogc = 100, .trace = { .cycle = disturb } });
    amp_gc_mutator_start(gc, "one", NULL, looks_at_errno, NULL, &m);
    wait_for_told(1);
    for (unsigned i = 0; i < 10000 && __atomic_load_n(&ended, __ATOMIC_ACQUIRE) < 2; i++)
        collect();
    __atomic_store_n(&told, 2, __ATOMIC_RELEASE);
    amp_gc_mutator_join(m, &found);
    printf("%d ended, %lu\n", ended >= 2, (unsigned long) found);
    amp_gc_destroy(gc);
}

static const struct example examples[] = {
    { "elsewhere", elsewhere }, { "twice", twice },   { "spins_in_marking", spins_in_marking },
    { "stood_still", stood_still },       { "forked", forked }, { "keeps_errno", keeps_errno },
};

int main(int argc, char **argv)
{
    return run_case(examples, sizeof examples / sizeof *examples, argc, argv);
}
