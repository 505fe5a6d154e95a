/* SPDX-License-Identifier: MIT
 *
 * A thread for each way to wait. By the kernel's word it sleeps before main lets it go on; then the same function is
 * called where it need not wait. Prints what should be recorded of which thread: once. */
#include "tests/harness/timeline/asleep.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const struct timespec never = { 1L << 40, 0 }, soon = { 0, 1000 }, at_once = { 0, 0 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static mtx_t mutex_c11;
static cnd_t condition_c11;
static int ends[2], word, is_set, events;
static pid_t child, waiter;

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "waiting: %s: %d\n", what, errno);
        abort();
    }
}

/* Twice: the second time nobody is in the way. */
#define TWICE(call, undo)                                                                                              \
    for (int i = 0; i < 2; i++) {                                                                                      \
        must((call) == 0, #call);                                                                                      \
        undo;                                                                                                          \
    }
static void mutex_timed(void) { TWICE(pthread_mutex_timedlock(&mutex, &never), pthread_mutex_unlock(&mutex)) }
static void mutex_clock(void)
{
    TWICE(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &never), pthread_mutex_unlock(&mutex))
}
static void read_timed(void) { TWICE(pthread_rwlock_timedrdlock(&lock, &never), pthread_rwlock_unlock(&lock)) }
static void read_clock(void)
{
    TWICE(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &never), pthread_rwlock_unlock(&lock))
}
static void write_timed(void) { TWICE(pthread_rwlock_timedwrlock(&lock, &never), pthread_rwlock_unlock(&lock)) }
static void write_clock(void)
{
    TWICE(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &never), pthread_rwlock_unlock(&lock))
}
static void sem_timed(void)
{
    TWICE(sem_timedwait(&semaphore, &never), sem_post(&semaphore)) sem_trywait(&semaphore);
}
static void sem_clock(void)
{
    TWICE(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &never), sem_post(&semaphore)) sem_trywait(&semaphore);
}
static void c11_lock(void) { TWICE(mtx_lock(&mutex_c11), mtx_unlock(&mutex_c11)) }
static void c11_timed(void) { TWICE(mtx_timedlock(&mutex_c11, &never), mtx_unlock(&mutex_c11)) }

static void wait_c11(int timed)
{
    mtx_lock(&mutex_c11);
    must((timed ? cnd_timedwait(&condition_c11, &mutex_c11, &never) : cnd_wait(&condition_c11, &mutex_c11)) == 0 &&
             is_set,
         "cnd_wait");
    mtx_unlock(&mutex_c11);
}
static void c11_condition(void) { wait_c11(0); }
static void c11_condition_timed(void) { wait_c11(1); }

#define FDS struct pollfd fds = { ends[0], POLLIN, 0 }; char byte; fd_set set; FD_ZERO(&set); FD_SET(ends[0], &set);
#define READ must(read(ends[0], &byte, 1) == 1, "read"); (void) fds; (void) set;
static void polls(void) { FDS must(poll(&fds, 1, -1) == 1 && poll(&fds, 1, 0) == 1, "poll"); READ }
static void ppolls(void)
{
    FDS must(ppoll(&fds, 1, NULL, NULL) == 1 && ppoll(&fds, 1, &at_once, NULL) == 1, "ppoll");
    READ
}
static void selects(void)
{
    struct timeval no_time = { 0, 0 };
    FDS must(select(ends[0] + 1, &set, NULL, NULL, NULL) == 1 && select(ends[0] + 1, &set, NULL, NULL, &no_time) == 1,
             "select");
    READ
}
static void pselects(void) { FDS must(pselect(ends[0] + 1, &set, NULL, NULL, NULL, NULL) == 1, "pselect"); READ }
static void epolls(void)
{
    FDS struct epoll_event e;
    must(epoll_wait(events, &e, 1, -1) == 1 && epoll_wait(events, &e, 1, 0) == 1, "epoll");
    READ
}

static void waits(void) { must(wait(NULL) == child, "wait"); }
static void waits_pid(void)
{
    must(waitpid(child, NULL, WNOHANG) == 0 && waitpid(child, NULL, 0) == child, "waitpid");
}
static void waits_id(void)
{
    siginfo_t info;
    must(waitid(P_PID, (id_t) child, &info, WEXITED | WNOHANG) == 0 &&
             waitid(P_PID, (id_t) child, &info, WEXITED) == 0,
         "waitid");
}

static sigset_t usr1(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    return set;
}
static void sig_waits(void) { sigset_t set = usr1(); int got; must(sigwait(&set, &got) == 0, "sigwait"); }
static void sig_info(void) { sigset_t set = usr1(); must(sigwaitinfo(&set, NULL) == SIGUSR1, "sigwaitinfo"); }
static void sig_timed(void)
{
    sigset_t set = usr1();
    must(sigtimedwait(&set, NULL, NULL) == SIGUSR1 && sigtimedwait(&set, NULL, &at_once) < 0, "sigtimedwait");
}
static void sig_suspends(void) { sigset_t none; sigemptyset(&none); must(sigsuspend(&none) < 0, "sigsuspend"); }
static void pauses(void) { sigset_t set = usr1(); pthread_sigmask(SIG_UNBLOCK, &set, NULL); pause(); }

static void futexes(void)
{
    must(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == 0 && syscall(SYS_getpid) == getpid(),
         "futex");
}
static void sleeps(void) { usleep(1000); }
static void sleeps_nano(void) { nanosleep(&soon, NULL); nanosleep(&at_once, NULL); }
static void sleeps_clock(void) { clock_nanosleep(CLOCK_MONOTONIC, 0, &soon, NULL); }
static void sleeps_c11(void) { thrd_sleep(&soon, NULL); }

static void hold_mutex(void) { pthread_mutex_lock(&mutex); }
static void free_mutex(void) { pthread_mutex_unlock(&mutex); }
static void hold_lock(void) { pthread_rwlock_wrlock(&lock); }
static void free_lock(void) { pthread_rwlock_unlock(&lock); }
static void hold_c11(void) { mtx_lock(&mutex_c11); }
static void free_c11(void) { mtx_unlock(&mutex_c11); }
static void post(void) { sem_post(&semaphore); }
static void set(void) { mtx_lock(&mutex_c11); is_set = 1; cnd_signal(&condition_c11); mtx_unlock(&mutex_c11); }
static void put(void) { must(write(ends[1], "x", 1) == 1, "write"); }
static void wake(void) { word = 1; syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
static void breed(void) { child = fork(); if (child == 0) for (;;) syscall(SYS_pause); }
static void end(void) { kill(child, SIGKILL); }
static void nothing(void) { }
static void notify(void) { syscall(SYS_tgkill, getpid(), waiter, SIGUSR1); }

static const struct way {
    const char *name, *recorded;
    void (*before)(void), (*wait)(void), (*release)(void);
} ways[] = {
    { "pthread_mutex_timedlock", "wait for a mutex", hold_mutex, mutex_timed, free_mutex },
    { "pthread_mutex_clocklock", "wait for a mutex", hold_mutex, mutex_clock, free_mutex },
    { "pthread_rwlock_timedrdlock", "wait to read", hold_lock, read_timed, free_lock },
    { "pthread_rwlock_clockrdlock", "wait to read", hold_lock, read_clock, free_lock },
    { "pthread_rwlock_timedwrlock", "wait to write", hold_lock, write_timed, free_lock },
    { "pthread_rwlock_clockwrlock", "wait to write", hold_lock, write_clock, free_lock },
    { "sem_timedwait", "wait for a semaphore", nothing, sem_timed, post },
    { "sem_clockwait", "wait for a semaphore", nothing, sem_clock, post },
    { "mtx_lock", "wait for a mutex", hold_c11, c11_lock, free_c11 },
    { "mtx_timedlock", "wait for a mutex", hold_c11, c11_timed, free_c11 },
    { "cnd_wait", "wait for a condition", nothing, c11_condition, set },
    { "cnd_timedwait", "wait for a condition", nothing, c11_condition_timed, set },
    { "poll", "wait for a descriptor", nothing, polls, put },
    { "ppoll", "wait for a descriptor", nothing, ppolls, put },
    { "select", "wait for a descriptor", nothing, selects, put },
    { "pselect", "wait for a descriptor", nothing, pselects, put },
    { "epoll_wait", "wait for a descriptor", nothing, epolls, put },
    { "wait", "wait for a process", breed, waits, end },
    { "waitpid", "wait for a process", breed, waits_pid, end },
    { "waitid", "wait for a process", breed, waits_id, end },
    { "sigwait", "wait for a signal", nothing, sig_waits, notify },
    { "sigwaitinfo", "wait for a signal", nothing, sig_info, notify },
    { "sigtimedwait", "wait for a signal", nothing, sig_timed, notify },
    { "sigsuspend", "wait for a signal", nothing, sig_suspends, notify },
    { "pause", "wait for a signal", nothing, pauses, notify },
    { "futex", "wait on a futex", nothing, futexes, wake },
    { "usleep", "wait for time", NULL, sleeps, NULL },
    { "nanosleep", "wait for time", NULL, sleeps_nano, NULL },
    { "clock_nanosleep", "wait for time", NULL, sleeps_clock, NULL },
    { "thrd_sleep", "wait for time", NULL, sleeps_c11, NULL },
};

static int run(void *argument)
{
    const struct way *way = argument;

    __atomic_store_n(&waiter, (pid_t) syscall(SYS_gettid), __ATOMIC_RELEASE);
    way->wait();
    return 5;
}

static void caught(int number)
{
    (void) number;
}

int main(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    sigset_t all = usr1();
    thrd_t thread;
    int result;

    sem_init(&semaphore, 0, 0);
    mtx_init(&mutex_c11, mtx_timed);
    cnd_init(&condition_c11);
    must(pipe(ends) == 0, "pipe");
    events = epoll_create1(0);
    epoll_ctl(events, EPOLL_CTL_ADD, ends[0], &event);
    signal(SIGUSR1, caught);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        waiter = 0;
        is_set = 0;
        if (ways[i].before)
            ways[i].before();
        must(thrd_create(&thread, run, (void *) (uintptr_t) &ways[i]) == thrd_success, "thrd_create");
        while (ways[i].release && !is_asleep(&waiter))
            sched_yield();
        if (ways[i].release)
            ways[i].release();
        must(thrd_join(thread, &result) == thrd_success && result == 5, ways[i].name);
        printf("%d %s: %s\n", (int) waiter, ways[i].name, ways[i].recorded);
    }
    return 0;
}
