/* SPDX-License-Identifier: MIT
 *
 * Takes CPU time whose amount and place are known by construction: each function goes on until the clock of its thread
 * says that it has had its share. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))
#define AFTER() __asm__ volatile("" ::: "memory") /* what follows a call: it becomes no jump */

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static inline __attribute__((always_inline)) void inlined(void)
{
    for (volatile int i = 0; i < 20000; i++)
        continue;
}

KEEP void hot(double ms)
{
    for (double end = now_ms() + ms; now_ms() < end;)
        inlined();
    AFTER();
}

KEEP void cool(double ms)
{
    for (double end = now_ms() + ms; now_ms() < end;)
        for (volatile int i = 0; i < 20000; i++)
            continue;
    AFTER();
}

KEEP void both(void)
{
    hot(300);
    cool(100);
    AFTER();
}

static void *one_thread(void *which)
{
    if (which)
        hot(150);
    else
        cool(150);
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

/* Each of them less than a tick of the kernel's. */
static void *brief(void *unused)
{
    cool(3);
    return unused;
}

static int brief_c11(void *unused)
{
    cool(3);
    return unused != NULL;
}

static void short_threads(void)
{
    for (int i = 0; i < 50; i++) {
        pthread_t id;
        thrd_t id_c11;

        pthread_create(&id, NULL, brief, NULL);
        pthread_join(id, NULL);
        thrd_create(&id_c11, brief_c11, NULL);
        thrd_join(id_c11, NULL);
    }
}

static void children(void)
{
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            hot(100);
            _exit(0);
        }
    while (wait(NULL) > 0)
        continue;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "both";

    if (strcmp(mode, "threads") == 0)
        threads();
    else if (strcmp(mode, "short") == 0)
        short_threads();
    else if (strcmp(mode, "children") == 0)
        children();
    else
        both();
    if (strcmp(mode, "exec") == 0)
        execv(argv[0], (char *[]){ argv[0], "both", NULL });
    if (strcmp(mode, "_exit") == 0)
        _exit(3);
    if (strcmp(mode, "kill") == 0)
        raise(SIGKILL);
    return 0;
}
