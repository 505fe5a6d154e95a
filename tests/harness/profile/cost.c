/* SPDX-License-Identifier: MIT
 *
 * What an allocation and its end take, in CPU time of the thread, least of some rounds: alone and under `profile`, the
 * difference is what the profile costs. Compile it with frame pointers and without.
 *
 *   cost [DEPTH [THREADS]]    calls that lead there, 20; threads that all do the same, 1
 *   cost live N               keep N objects, and say how much memory that took */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N 200000
#define ROUNDS 15

static int depth = 20;

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

__attribute__((noinline)) static double round_ns(void)
{
    static const size_t sizes[] = { 16, 24, 40, 64, 100, 200, 16, 32 };
    double begin = now_ns();

    for (size_t i = 0; i < N; i++) {
        void *p = malloc(sizes[i % 8]);

        __asm__ volatile("" : "+r"(p) : : "memory");
        free(p);
    }
    return (now_ns() - begin) / N;
}

__attribute__((noinline)) static double descend(int n)
{
    double result = n > 1 ? descend(n - 1) : round_ns();

    __asm__ volatile("" ::: "memory"); /* the call becomes no jump */
    return result;
}

static void *measure(void *out)
{
    double least = 1e9;

    for (int i = 0; i < ROUNDS; i++) {
        double ns = descend(depth);

        least = ns < least ? ns : least;
    }
    *(double *) out = least;
    return NULL;
}

static int keep(size_t n)
{
    void **all = malloc(n * sizeof *all);
    char line[256];
    FILE *status;

    for (size_t i = 0; all && i < n; i++)
        all[i] = malloc(16 + i % 64);
    status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM", 5) == 0)
            fputs(line, stdout);
    return !all || !status;
}

int main(int argc, char **argv)
{
    double ns[64];
    pthread_t ids[64];
    int threads = argc > 2 ? atoi(argv[2]) : 1;

    if (argc > 2 && strcmp(argv[1], "live") == 0)
        return keep(strtoul(argv[2], NULL, 10));
    depth = argc > 1 ? atoi(argv[1]) : depth;
    if (threads < 1 || threads > 64)
        return 2;
    if (threads == 1) /* in a process that has never had another */
        measure(&ns[0]);
    for (int i = 0; threads > 1 && i < threads; i++)
        if (pthread_create(&ids[i], NULL, measure, &ns[i]))
            return 1;
    for (int i = 0; threads > 1 && i < threads; i++)
        pthread_join(ids[i], NULL);
    printf("%.1f ns for an allocation and its end, %d calls deep, %d thread%s\n", ns[0], depth, threads,
           threads == 1 ? "" : "s");
    return 0;
}
