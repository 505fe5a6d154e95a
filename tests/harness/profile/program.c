/* SPDX-License-Identifier: MIT
 *
 * What a profiled program may do: one mode each, whose counts are known by construction. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))
#define AFTER() __asm__ volatile("" ::: "memory") /* what follows a call: it becomes no jump */
static void *volatile sink;

static void all_calls(int for_valgrind)
{
    void *p, *q;

    free(malloc(0));
    free(malloc(24));
    free(calloc(3, 7));
    p = realloc(NULL, 10);
    p = realloc(p, 1000);
    p = realloc(p, 20);
    p = reallocarray(p, 5, 9);
    free(p);
    p = reallocarray(NULL, 2, 9);
    sink = realloc(p, 0);
    free(aligned_alloc(64, 128));
    if (posix_memalign(&p, 256, 33) == 0)
        free(p);
    free(memalign(32, 44));
    free(valloc(55));
    if (!for_valgrind) /* 3.19 does not know it */
        free(pvalloc(66));
    free(strdup("twelve bytes"));
    if (asprintf((char **) &q, "%d bytes", 12) > 0)
        free(q);
    free(NULL);
    sink = malloc(77);
}

static void failing_calls(void)
{
    void *p = malloc(30), *q;

    sink = malloc(SIZE_MAX / 4);
    sink = calloc(SIZE_MAX / 8, 64);
    errno = 0;
    sink = realloc(p, SIZE_MAX / 4);
    if (sink || errno != ENOMEM)
        _exit(90);
    sink = reallocarray(p, SIZE_MAX / 2, 8);
    if (posix_memalign(&q, 3, 10) != EINVAL)
        _exit(91);
    free(p);
}

KEEP static void in_frame(void)
{
    sink = malloc(100);
    free(sink);
    sink = NULL; /* the call of free() becomes no jump */
}
KEEP static void *make(void)
{
    void *p = malloc(200);

    sink = p;
    return p;
}
KEEP static void in_caller(void)
{
    free(make());
    sink = NULL;
}
KEEP static void *make_for_caller(void)
{
    void *p = make();

    sink = p;
    return p;
}

static void *free_it(void *p)
{
    free(p);
    return NULL;
}

static void lives(void)
{
    pthread_t thread;

    for (int i = 0; i < 10; i++)
        in_frame();
    for (int i = 0; i < 20; i++)
        in_caller();
    for (int i = 0; i < 30; i++)
        free(make_for_caller());
    for (int i = 0; i < 40; i++)
        sink = make();
    pthread_create(&thread, NULL, free_it, make());
    pthread_join(thread, NULL);
}

/* Objects that come and go at random: tables of them grow, and lose entries in their middle. 30,000 stay. */
static void churn(void)
{
    static void *kept[30000];
    uint64_t random = 1;

    for (int i = 0; i < 300000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        free(kept[(random >> 33) % 30000]);
        kept[(random >> 33) % 30000] = malloc(1 + (random >> 50) % 300);
    }
    for (int i = 0; i < 30000; i++) {
        free(kept[i]);
        kept[i] = malloc(10);
    }
}

KEEP static void middle(int depth)
{
    if (depth > 0)
        middle(depth - 1);
    else
        free(malloc(24));
    AFTER();
}

KEEP static void of_any_frame(size_t n)
{
    char *volatile room = __builtin_alloca(n); /* what an earlier call left there stays */

    (void) room;
    middle(15);
    AFTER();
}

KEEP static void outer_one(size_t n)
{
    (void) n;
    of_any_frame(96);
    AFTER();
}

KEEP static void outer_two(size_t n)
{
    volatile char more[48];

    more[0] = 1;
    of_any_frame(n);
    more[1] = more[0];
}

/* By turns through two callers, from one place. One of them has the larger frame: for one of the sizes both come
 * equally deep, and where the one keeps its return address the other keeps nothing, so it is still there. */
static void turns(void)
{
    static void (*const volatile outer[])(size_t) = { outer_one, outer_two };

    for (unsigned i = 0; i < 3200; i++)
        outer[i % 2](i / 2 % 16 * 16);
}

static void children(int n)
{
    sink = malloc(1000);
    for (int i = 0; i < n; i++) {
        pid_t child = fork();

        if (child == 0) {
            free(sink); /* the parent's, which counts it as not freed */
            for (int k = 0; k < 10; k++)
                sink = malloc(50);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        continue;
}

static void *one_thread(void *unused)
{
    (void) unused;
    for (int i = 0; i < 2000; i++) {
        void *p = malloc(64), *q = malloc(32);

        sink = p;
        free(p);
        free(realloc(q, 48));
    }
    return NULL;
}

static void threads(int n)
{
    pthread_t ids[64];

    for (int i = 0; i < n; i++)
        if (pthread_create(&ids[i], NULL, one_thread, NULL))
            _exit(92);
    for (int i = 0; i < n; i++)
        pthread_join(ids[i], NULL);
}

static void without_memory(void)
{
    struct rlimit limit = { 300 << 20, 300 << 20 };
    int n = 0;

    setrlimit(RLIMIT_AS, &limit);
    while (malloc(1 << 20))
        n++;
    printf("%d\n", n);
    fflush(stdout);
}

static volatile uint64_t handled;

static void allocate(int number)
{
    (void) number;
    handled++;
    sink = malloc(16);
}

/* A handler that allocates and may interrupt the counting of another allocation: an allocator that allows it is
 * needed. */
static void handlers(void)
{
    struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };

    signal(SIGALRM, allocate);
    setitimer(ITIMER_REAL, &often, NULL);
    while (handled < 300)
        free(malloc(40));
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    printf("%d\n", (int) handled);
}

/* The profiler's own memory may take the place of the first: the next ones come to lie where one was. */
static void load(const char *first, const char *second)
{
    for (int i = 0; i < 6; i++) {
        void *library = dlopen(i % 2 == 0 ? first : second, RTLD_NOW);
        void (*run)(void);

        if (!library)
            _exit(93);
        *(void **) &run = dlsym(library, "run");
        run();
        dlclose(library);
    }
}

static void end(const char *how)
{
    sink = malloc(500);
    if (strcmp(how, "_exit") == 0)
        _exit(7);
    if (strcmp(how, "exit") == 0)
        exit(8);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "kill") == 0)
        raise(SIGKILL);
    if (strcmp(how, "crash") == 0)
        *(volatile int *) 8 = 1;
}

/* Files may have no byte any more: what the profiler writes, too. */
static void without_files(void)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 0, 0 });
    sink = malloc(500);
}

int main(int argc, char **argv)
{
    const char *mode = argv[1];

    if (strcmp(mode, "calls") == 0)
        all_calls(argc > 2);
    else if (strcmp(mode, "failing") == 0)
        failing_calls();
    else if (strcmp(mode, "lives") == 0)
        lives();
    else if (strcmp(mode, "churn") == 0)
        churn();
    else if (strcmp(mode, "turns") == 0)
        turns();
    else if (strcmp(mode, "children") == 0)
        children(atoi(argv[2]));
    else if (strcmp(mode, "threads") == 0)
        threads(atoi(argv[2]));
    else if (strcmp(mode, "without_memory") == 0)
        without_memory();
    else if (strcmp(mode, "without_files") == 0)
        without_files();
    else if (strcmp(mode, "handlers") == 0)
        handlers();
    else if (strcmp(mode, "load") == 0)
        load(argv[2], argv[3]);
    else if (strcmp(mode, "end") == 0)
        end(argv[2]);
    else if (strcmp(mode, "exec") == 0) {
        sink = malloc(300);
        execv(argv[0], (char *[]){ argv[0], "calls", NULL });
    } else if (strcmp(mode, "wait") == 0) { /* a line for each byte of input, after an allocation */
        while (getchar() != EOF) {
            sink = malloc(600);
            if (write(1, "\n", 1) < 0)
                return 94;
        }
    }
    return argc > 1 ? 0 : 95;
}
