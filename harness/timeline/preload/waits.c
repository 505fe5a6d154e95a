/* SPDX-License-Identifier: MIT
 *
 * Where threads wait besides (threads.c): with a time limit, by <threads.h>, for time, descriptors, processes and
 * signals, and on futexes by syscall(), as C++20 does. What cannot wait is no event: a limit of no time, a lock that is
 * free. Not seen is what the C library does within its own functions, and calls that may block on one descriptor, such
 * as read(): most do not, and they are many. */
#include "harness/timeline/preload/next.h"
#include "harness/timeline/preload/write.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* Find the real function before main(), or when a library's constructor calls it. */
#define REAL(type, name, parameters)                                                                                   \
    type name parameters;                                                                                              \
    static type(*real_##name) parameters;                                                                              \
                                                                                                                       \
    __attribute__((constructor)) static void find_##name(void)                                                         \
    {                                                                                                                  \
        if (!real_##name)                                                                                              \
            amp_next_find(#name, &real_##name);                                                                        \
    }

/* A function that waits, as `what` says, but where it does not: then `early` says what it returns. */
#define WAITS_UNLESS(is_early, early, type, name, what, parameters, arguments)                                         \
    REAL(type, name, parameters)                                                                                       \
                                                                                                                       \
    AMP_RING_EXPORTED type name parameters                                                                             \
    {                                                                                                                  \
        type result;                                                                                                   \
                                                                                                                       \
        find_##name();                                                                                                 \
        if (is_early)                                                                                                  \
            return early;                                                                                              \
        AMP_NOTE(AMP_MARK_BEGIN, what, 0);                                                                 \
        result = real_##name arguments;                                                                                \
        AMP_NOTE(AMP_MARK_END, what, 0);                                                                   \
        return result;                                                                                                 \
    }

#define WAITS(type, name, what, parameters, arguments)                                                                 \
    WAITS_UNLESS(false, 0, type, name, what, parameters, arguments)
#define WAITS_IF(may_wait, type, name, what, parameters, arguments)                                                    \
    WAITS_UNLESS(!(may_wait), real_##name arguments, type, name, what, parameters, arguments)

/* ---- Locks, with a time limit */

/* 0, or why not: what `try` says, but for EBUSY, is what the function says. */
#define LOCKS(try, name, what, parameters, arguments)                                                                  \
    WAITS_UNLESS((error = try) != EBUSY, error, int, name, what, parameters, arguments)

static __thread int error __attribute__((tls_model("initial-exec")));

LOCKS(pthread_mutex_trylock(m), pthread_mutex_timedlock, "wait for a mutex",
      (pthread_mutex_t *m, const struct timespec *until), (m, until))
LOCKS(pthread_mutex_trylock(m), pthread_mutex_clocklock, "wait for a mutex",
      (pthread_mutex_t *m, clockid_t clock, const struct timespec *until), (m, clock, until))
LOCKS(pthread_rwlock_tryrdlock(l), pthread_rwlock_timedrdlock, "wait to read",
      (pthread_rwlock_t *l, const struct timespec *until), (l, until))
LOCKS(pthread_rwlock_tryrdlock(l), pthread_rwlock_clockrdlock, "wait to read",
      (pthread_rwlock_t *l, clockid_t clock, const struct timespec *until), (l, clock, until))
LOCKS(pthread_rwlock_trywrlock(l), pthread_rwlock_timedwrlock, "wait to write",
      (pthread_rwlock_t *l, const struct timespec *until), (l, until))
LOCKS(pthread_rwlock_trywrlock(l), pthread_rwlock_clockwrlock, "wait to write",
      (pthread_rwlock_t *l, clockid_t clock, const struct timespec *until), (l, clock, until))

/* True: it was taken. */
static bool takes(sem_t *semaphore)
{
    int before = errno;
    bool has = sem_trywait(semaphore) == 0;

    errno = before;
    return has;
}

WAITS_UNLESS(takes(s), 0, int, sem_timedwait, "wait for a semaphore", (sem_t *s, const struct timespec *until),
             (s, until))
WAITS_UNLESS(takes(s), 0, int, sem_clockwait, "wait for a semaphore",
             (sem_t *s, clockid_t clock, const struct timespec *until), (s, clock, until))
WAITS(int, pthread_timedjoin_np, "wait for a thread", (pthread_t t, void **out, const struct timespec *until),
      (t, out, until))
WAITS(int, pthread_clockjoin_np, "wait for a thread",
      (pthread_t t, void **out, clockid_t clock, const struct timespec *until), (t, out, clock, until))

/* ---- <threads.h>: its threads begin in threads.c */

WAITS_UNLESS((error = mtx_trylock(m)) != thrd_busy, error, int, mtx_lock, "wait for a mutex", (mtx_t *m), (m))
WAITS_UNLESS((error = mtx_trylock(m)) != thrd_busy, error, int, mtx_timedlock, "wait for a mutex",
             (mtx_t *m, const struct timespec *until), (m, until))
WAITS(int, cnd_wait, "wait for a condition", (cnd_t *c, mtx_t *m), (c, m))
WAITS(int, cnd_timedwait, "wait for a condition", (cnd_t *c, mtx_t *m, const struct timespec *until), (c, m, until))
WAITS(int, thrd_join, "wait for a thread", (thrd_t t, int *out), (t, out))

/* ---- Time */

static bool is_some(const struct timespec *time)
{
    return time->tv_sec > 0 || time->tv_nsec > 0;
}

WAITS_IF(s > 0, unsigned, sleep, "wait for time", (unsigned s), (s))
WAITS_IF(us > 0, int, usleep, "wait for time", (useconds_t us), (us))
WAITS_IF(is_some(t), int, nanosleep, "wait for time", (const struct timespec *t, struct timespec *left), (t, left))
WAITS(int, clock_nanosleep, "wait for time",
      (clockid_t clock, int flags, const struct timespec *t, struct timespec *left), (clock, flags, t, left))
WAITS_IF(is_some(t), int, thrd_sleep, "wait for time", (const struct timespec *t, struct timespec *left), (t, left))

/* ---- Descriptors */

static bool is_some_us(const struct timeval *time)
{
    return !time || time->tv_sec > 0 || time->tv_usec > 0;
}

WAITS_IF(ms != 0, int, poll, "wait for a descriptor", (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))
WAITS_IF(!t || is_some(t), int, ppoll, "wait for a descriptor",
         (struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask), (fds, n, t, mask))
/* What these two are where the compiler knows how long the list is (_FORTIFY_SOURCE). */
WAITS_IF(ms != 0, int, __poll_chk, "wait for a descriptor", (struct pollfd *fds, nfds_t n, int ms, size_t size_b),
         (fds, n, ms, size_b))
WAITS_IF(!t || is_some(t), int, __ppoll_chk, "wait for a descriptor",
         (struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask, size_t size_b),
         (fds, n, t, mask, size_b))
WAITS_IF(is_some_us(t), int, select, "wait for a descriptor",
         (int n, fd_set *in, fd_set *out, fd_set *others, struct timeval *t), (n, in, out, others, t))
WAITS_IF(!t || is_some(t), int, pselect, "wait for a descriptor",
         (int n, fd_set *in, fd_set *out, fd_set *others, const struct timespec *t, const sigset_t *mask),
         (n, in, out, others, t, mask))
WAITS_IF(ms != 0, int, epoll_wait, "wait for a descriptor", (int fd, struct epoll_event *out, int n, int ms),
         (fd, out, n, ms))
WAITS_IF(ms != 0, int, epoll_pwait, "wait for a descriptor",
         (int fd, struct epoll_event *out, int n, int ms, const sigset_t *mask), (fd, out, n, ms, mask))

/* ---- Processes and signals */

WAITS(pid_t, wait, "wait for a process", (int *status), (status))
WAITS_IF(!(how & WNOHANG), pid_t, waitpid, "wait for a process", (pid_t pid, int *status, int how), (pid, status, how))
WAITS_IF(!(how & WNOHANG), int, waitid, "wait for a process", (idtype_t which, id_t id, siginfo_t *out, int how),
         (which, id, out, how))
WAITS(int, pause, "wait for a signal", (void), ())
WAITS(int, sigsuspend, "wait for a signal", (const sigset_t *mask), (mask))
WAITS(int, sigwait, "wait for a signal", (const sigset_t *set, int *signal), (set, signal))
WAITS(int, sigwaitinfo, "wait for a signal", (const sigset_t *set, siginfo_t *info), (set, info))
WAITS_IF(!t || is_some(t), int, sigtimedwait, "wait for a signal",
         (const sigset_t *set, siginfo_t *info, const struct timespec *t), (set, info, t))

/* ---- Futexes */

static long (*real_syscall)(long, ...);

__attribute__((constructor)) static void find_syscall(void)
{
    if (!real_syscall)
        amp_next_find("syscall", &real_syscall);
}

static bool waits_on_futex(long number, long operation)
{
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
        return number == SYS_futex;
    default:
        return false;
    }
}

AMP_RING_EXPORTED long syscall(long number, ...)
{
    long a[6], result;
    va_list all;
    bool waits;

    va_start(all, number);
    for (int i = 0; i < 6; i++) /* more than there may be, as the kernel takes them */
        a[i] = va_arg(all, long);
    va_end(all);
    find_syscall();
    waits = waits_on_futex(number, a[1]);
    if (waits)
        AMP_NOTE(AMP_MARK_BEGIN, "wait on a futex", 0);
    result = real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (waits)
        AMP_NOTE(AMP_MARK_END, "wait on a futex", 0);
    return result;
}
