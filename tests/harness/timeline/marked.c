/* SPDX-License-Identifier: MIT
 *
 * A program with marks, for the tests of `trace`. Where it says so, it prints what it did: the oracle is its own clock,
 * read on either side of a mark. */
#include "harness/marks.h"
#include "tests/harness/timeline/asleep.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long) t.tv_sec * 1000000000u + (unsigned long long) t.tv_nsec;
}

#define SAY(kind, name, mark)                                                                                          \
    do {                                                                                                               \
        unsigned long long before = now_ns();                                                                          \
        mark;                                                                                                          \
        printf("%s %s %llu %llu\n", kind, name, before, now_ns());                                                     \
    } while (0)

static void nested(int depth)
{
    SAY("B", "nested", AMP_TRACE_BEGIN("nested"));
    SAY("i", "at \"depth\" <b>", AMP_TRACE("at \"depth\" <b>"));
    SAY("C", "left", AMP_TRACE_COUNT("left", depth));
    for (volatile int i = 0; i < 10000; i++)
        continue;
    if (depth > 0) {
        nested(depth - 1);
        nested(depth - 1);
    }
    SAY("E", "nested", AMP_TRACE_END("nested"));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static int is_set;
static pid_t waiting[3]; /* threads that are past the barrier */

static void *waiter(void *argument)
{
    static int n;

    pthread_setname_np(pthread_self(), argument);
    AMP_TRACE_BEGIN("waiter");
    pthread_barrier_wait(&barrier);
    __atomic_store_n(&waiting[__atomic_fetch_add(&n, 1, __ATOMIC_RELAXED)], (pid_t) syscall(SYS_gettid),
                     __ATOMIC_RELEASE);
    pthread_mutex_lock(&mutex); /* which main holds */
    while (!is_set)
        pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
    sem_wait(&semaphore);
    AMP_TRACE_END("waiter");
    return NULL;
}

static void threads(void)
{
    static char names[3][8] = { "one", "two", "three" };
    pthread_t threads[3];

    sem_init(&semaphore, 0, 0);
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, waiter, names[i]);
    pthread_mutex_lock(&mutex);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3; i++)
        while (!is_asleep(&waiting[i]))
            usleep(1000);
    is_set = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 3; i++)
        sem_post(&semaphore);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pid_t reader_tid, writer_tid;

static void *reader(void *argument)
{
    __atomic_store_n(&reader_tid, (pid_t) syscall(SYS_gettid), __ATOMIC_RELEASE);
    pthread_rwlock_rdlock(&lock); /* which main holds */
    pthread_rwlock_unlock(&lock);
    return argument;
}

static void *writer(void *argument)
{
    __atomic_store_n(&writer_tid, (pid_t) syscall(SYS_gettid), __ATOMIC_RELEASE);
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
    return argument;
}

/* Both wait for main; then main, which holds what nobody else wants, for nobody; and for a condition until long ago. */
static void locks(void)
{
    const struct timespec past = { 0, 0 };
    pthread_t threads[2];

    pthread_rwlock_wrlock(&lock);
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, writer, NULL);
    while (!is_asleep(&reader_tid) || !is_asleep(&writer_tid))
        usleep(1000);
    pthread_rwlock_unlock(&lock);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_unlock(&lock);
    pthread_mutex_lock(&mutex);
    printf("%d\n", pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &past));
    pthread_mutex_unlock(&mutex);
}

/* More than a window of 1 MiB holds, in three slices one after the other, the second within none. */
static void many(unsigned n)
{
    AMP_TRACE_BEGIN("whole");
    AMP_TRACE_BEGIN("early");
    for (unsigned i = 0; i < n; i++)
        AMP_TRACE_COUNT("n", i);
    AMP_TRACE_END("early");
    AMP_TRACE_BEGIN("late");
    AMP_TRACE_BEGIN("never ends");
    AMP_TRACE_END("late");
    AMP_TRACE_END("whole");
}

/* More than a second, of which the last second begins within two slices. */
static void late(void)
{
    AMP_TRACE_BEGIN("outer");
    AMP_TRACE_BEGIN("early");
    AMP_TRACE_END("early");
    AMP_TRACE_BEGIN("inner");
    usleep(1010000);
    AMP_TRACE_END("inner");
    AMP_TRACE("last");
    AMP_TRACE_END("outer");
}

/* Until there is something to read; in a ring of 1 MiB, more than it holds every millisecond. */
static void forever(void)
{
    struct pollfd in = { STDIN_FILENO, POLLIN, 0 };

    for (unsigned n = 0;;) {
        AMP_TRACE_BEGIN("turn");
        for (int i = 0; i < 1000; i++) {
            AMP_TRACE_BEGIN("part");
            AMP_TRACE_COUNT("n", n++);
            AMP_TRACE_END("part");
        }
        AMP_TRACE_END("turn");
        if (n == 50000) { /* the ring has been full */
            puts("ready");
            fflush(stdout);
        }
        if (poll(&in, 1, 0) != 0)
            return;
    }
}

static void *idler(void *argument)
{
    AMP_TRACE_BEGIN("idle");
    sem_post(&semaphore);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    AMP_TRACE_END("idle");
    return argument;
}

/* A thread that does nothing while another one writes more than the ring holds. */
static void beside_many(unsigned n)
{
    pthread_t thread;

    sem_init(&semaphore, 0, 0);
    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, idler, NULL);
    sem_wait(&semaphore);
    many(n);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

static void *crowd(void *argument)
{
    for (int i = 0; i < 500; i++) {
        AMP_TRACE_BEGIN("turn");
        AMP_TRACE_END("turn");
    }
    return argument;
}

static void crowds(void)
{
    pthread_t threads[64];

    for (int i = 0; i < 64; i++)
        pthread_create(&threads[i], NULL, crowd, NULL);
    for (int i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    (void) signal;
    AMP_TRACE("handled");
    handled++;
}

static void signals(void)
{
    const struct timespec soon = { 0, 50000 };
    const struct itimerspec often = { soon, soon };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    unsigned n = 0;
    timer_t timer;

    signal(SIGUSR1, handler);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &often, NULL);
    for (; handled < 200; n++)
        AMP_TRACE("plain");
    timer_delete(timer);
    signal(SIGUSR1, SIG_IGN);
    printf("%d %u\n", (int) handled, n);
}

/* One mark, whose name a forked child knows by its number only. */
static void before(void)
{
    AMP_TRACE("before");
}

static void children(int n)
{
    before();
    for (int i = 0; i < n; i++) {
        if (fork() == 0) {
            AMP_TRACE_BEGIN("child");
            before();
            AMP_TRACE_END("child");
            _exit(0);
        }
    }
    for (int i = 0; i < n; i++)
        wait(NULL);
    AMP_TRACE("behind");
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    unsigned n = argc > 2 ? (unsigned) atoi(argv[2]) : 0;

    if (strcmp(mode, "nested") == 0)
        nested((int) n);
    if (strcmp(mode, "threads") == 0)
        threads();
    if (strcmp(mode, "locks") == 0)
        locks();
    if (strcmp(mode, "many") == 0)
        many(n);
    if (strcmp(mode, "forever") == 0)
        forever();
    if (strcmp(mode, "late") == 0)
        late();
    if (strcmp(mode, "beside") == 0)
        beside_many(n);
    if (strcmp(mode, "crowd") == 0)
        crowds();
    if (strcmp(mode, "signals") == 0)
        signals();
    if (strcmp(mode, "children") == 0)
        children((int) n);
    if (strcmp(mode, "exec") == 0) {
        AMP_TRACE_BEGIN("is replaced");
        execl(argv[0], argv[0], "nested", "0", (char *) NULL);
    }
    if (strcmp(mode, "killed") == 0 || strcmp(mode, "snapshot") == 0) {
        AMP_TRACE_BEGIN("is killed");
        AMP_TRACE("alive");
        puts("ready");
        fflush(stdout);
        if (strcmp(mode, "killed") == 0)
            raise(SIGKILL);
        getchar();
    }
    if (strcmp(mode, "abort") == 0) {
        AMP_TRACE("alive");
        abort();
    }
    for (int i = 0; strcmp(mode, "long_name") == 0 && i < 9; i++)
        AMP_TRACE("a name of more bytes than one byte counts, in a packet whose length is above 127 and below 256, as "
                  "lengths of other packets here are not");
    if (strcmp(mode, "stray") == 0)
        AMP_TRACE_END("stray");
    if (strcmp(mode, "allocations") == 0) {
        void *volatile small = malloc(100), *volatile large = malloc(100000), *volatile cleared = calloc(10, 20000);

        free(large);
        large = realloc(NULL, 65536);
        large = realloc(large, 300000);
        free(cleared);
        free(large);
        free(small);
    }
    return n == 7 ? 7 : 0;
}
