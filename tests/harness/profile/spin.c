/* SPDX-License-Identifier: MIT
 *
 * Takes CPU time whose amount and place are known: each function goes on until it has had its share and the kernel has
 * looked at the thread's timers. Prints what each took by the clock of its thread, and at the end of a process
 *
 *   seen MS    what the process took since main() began, or since the fork
 *   took MS    since the process began, also before its exec */
#include "copies/looks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))
#define AFTER() __asm__ volatile("" ::: "memory") /* what follows a call: it becomes no jump */
#define SHORT_MS 3                                /* less than many kernels take from tick to tick */
#define THREADS 50                                /* short ones of each kind */
#define CHILDREN 60

static double process_begin_ms;

static double process_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static void say(const char *what, double ms)
{
    dprintf(1, "%s %.3f\n", what, ms);
}

static void say_end(void)
{
    double ms = process_ms();

    say("seen", ms - process_begin_ms);
    say("took", ms);
}

static inline __attribute__((always_inline)) void inlined(void)
{
    for (volatile int i = 0; i < 20000; i++)
        continue;
}

KEEP double hot(double ms)
{
    struct looks looks;

    for (looks_begin(&looks, ms); !looks_came(&looks);)
        inlined();
    AFTER();
    return looks_end_ms(&looks);
}

KEEP double cool(double ms)
{
    struct looks looks;

    for (looks_begin(&looks, ms); !looks_came(&looks);)
        for (volatile int i = 0; i < 20000; i++)
            continue;
    AFTER();
    return looks_end_ms(&looks);
}

/* What came before is the profiler's by now, and a tick at least. */
KEEP void settle(void)
{
    struct looks looks;

    for (looks_begin(&looks, 2); !looks_came(&looks);)
        continue;
    looks_end_ms(&looks);
}

KEEP void both(void)
{
    double hot_ms = hot(300), cool_ms = cool(100);

    say("hot", hot_ms);
    say("cool", cool_ms);
    AFTER();
}

static void *one_thread(void *which)
{
    double ms;

    settle();
    ms = which ? hot(150) : cool(150);
    say(which ? "hot" : "cool", ms);
    return NULL;
}

static void threads(void)
{
    pthread_t ids[4];
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* as xz does for its threads */
    for (int i = 0; i < 4; i++)
        pthread_create(&ids[i], NULL, one_thread, i % 2 ? ids : NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
}

struct took {
    double ms, with_start_ms; /* of its thread */
};

/* No look is waited for. */
KEEP struct took take_short(void)
{
    double begin_ms = thread_ms(), ms = begin_ms;

    for (; ms < begin_ms + SHORT_MS; ms = thread_ms())
        inlined();
    return (struct took){ ms - begin_ms, ms };
}

static void *brief(void *took)
{
    *(struct took *) took = take_short();
    return NULL;
}

static int brief_c11(void *took)
{
    *(struct took *) took = take_short();
    return 0;
}

static void short_threads(void)
{
    static const char *const names[][2] = { { "brief", "brief with start" }, { "brief_c11", "brief_c11 with start" } };
    struct took sums[2] = { { 0, 0 }, { 0, 0 } }, took;
    double longest_ms = 0;
    pthread_t id;
    thrd_t id_c11;

    for (int i = 0; i < 2 * THREADS; i++) {
        if (i % 2 == 0 && (pthread_create(&id, NULL, brief, &took) || pthread_join(id, NULL)))
            abort();
        if (i % 2 == 1 && (thrd_create(&id_c11, brief_c11, &took) != thrd_success || thrd_join(id_c11, NULL)))
            abort();
        sums[i % 2].ms += took.ms;
        sums[i % 2].with_start_ms += took.with_start_ms;
        longest_ms = took.with_start_ms > longest_ms ? took.with_start_ms : longest_ms;
    }
    for (int i = 0; i < 2; i++) {
        say(names[i][0], sums[i].ms);
        say(names[i][1], sums[i].with_start_ms);
    }
    say("longest", longest_ms);
}

static void begin_child(void)
{
    process_begin_ms = process_ms();
    settle();
}

static void children(void)
{
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            begin_child();
            say("hot", hot(100));
            say_end();
            _exit(0);
        }
    while (wait(NULL) > 0)
        continue;
}

/* Each ends somewhere between two looks. */
static void ends(void)
{
    for (int i = 0; i < CHILDREN; i++)
        if (fork() == 0) {
            begin_child();
            take_short();
            say_end();
            if (i % 2)
                _exit(0);
            exit(0);
        } else
            wait(NULL);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "both";

    process_begin_ms = process_ms();
    settle(); /* a look has found the first thread: what it takes at last has a place */
    if (strcmp(mode, "threads") == 0)
        threads();
    else if (strcmp(mode, "short") == 0)
        short_threads();
    else if (strcmp(mode, "children") == 0)
        children();
    else if (strcmp(mode, "ends") == 0)
        ends();
    else
        both();
    say_end();
    if (strcmp(mode, "exec") == 0)
        execv(argv[0], (char *[]){ argv[0], "both", NULL });
    if (strcmp(mode, "_exit") == 0)
        _exit(3);
    if (strcmp(mode, "kill") == 0)
        raise(SIGKILL);
    return 0;
}
