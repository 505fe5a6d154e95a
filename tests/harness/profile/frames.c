/* SPDX-License-Identifier: MIT
 *
 * Allocates at the end of calls of many kinds; beside each allocation stands what backtrace() sees of the callers: a
 * line of addresses, each within its module. */
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP __attribute__((noinline))
#define AFTER() __asm__ volatile("" ::: "memory") /* what follows a call: it becomes no jump */
static void *volatile sink;
static size_t size = 1000;

/* Each allocation has a size of its own, by which it is found. */
KEEP void leaf(void)
{
    void *frames[64];
    int n = backtrace(frames, 64);

    sink = malloc(++size);
    printf("%zu", size);
    for (int i = 1; i < n; i++) {
        Dl_info info;

        if (dladdr((char *) frames[i] - 1, &info))
            printf(" %s+%#lx", info.dli_fname, (unsigned long) ((char *) frames[i] - 1 - (char *) info.dli_fbase));
    }
    puts("");
}

KEEP void plain(int depth)
{
    if (depth > 0)
        plain(depth - 1);
    else
        leaf();
    AFTER();
}

__attribute__((noinline, optimize("omit-frame-pointer"))) void without_pointer(int depth)
{
    if (depth > 0)
        without_pointer(depth - 1);
    else
        plain(2);
    AFTER();
}

__attribute__((noinline, optimize("no-omit-frame-pointer"))) void with_pointer(int depth)
{
    if (depth > 0)
        without_pointer(depth - 1);
    else
        leaf();
    AFTER();
}

KEEP void of_any_size(size_t n)
{
    char *volatile room = __builtin_alloca(n);

    memset(room, 1, n);
    plain(1);
    AFTER();
}

KEEP void aligned(size_t n)
{
    _Alignas(128) volatile char room[256];
    char *volatile more = __builtin_alloca(n);

    room[0] = more[0] = 1;
    plain(1);
    AFTER();
    room[1] = room[0];
}

KEEP void many_registers(int a, int b, int c)
{
    volatile int x = a, y = b, z = c;
    int p = x * y, q = y * z, r = x * z, s = x + y, t = y + z, u = x + z;

    plain(1);
    z = p + q * r + s * t + u;
    AFTER();
}

static int compare(const void *a, const void *b)
{
    static int done;

    if (!done++)
        plain(1);
    return *(const int *) a - *(const int *) b;
}

static void handle(int number)
{
    (void) number;
    plain(1);
}

static void *run(void *unused)
{
    (void) unused;
    plain(3);
    AFTER();
    return NULL;
}

int main(void)
{
    int numbers[] = { 3, 1, 2 };
    pthread_t thread;
    void *warm[4];

    setvbuf(stdout, NULL, _IONBF, 0);
    backtrace(warm, 4);
    plain(0);
    plain(20);
    without_pointer(3);
    with_pointer(0);
    with_pointer(4);
    of_any_size(100 + (size_t) numbers[0]);
    aligned(64);
    many_registers(1, 2, 3);
    qsort(numbers, 3, sizeof *numbers, compare);
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
    plain(0);
    return 0;
}
