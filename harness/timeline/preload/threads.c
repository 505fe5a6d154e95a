/* SPDX-License-Identifier: MIT
 *
 * When threads begin, end and wait: in front of the functions of <pthread.h> and <semaphore.h>. A lock that is free is
 * no event: it is tried first. Where else threads wait: waits.c. */
#include "harness/timeline/preload/next.h"
#include "harness/timeline/preload/write.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static struct {
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
    int (*create_c11)(thrd_t *, thrd_start_t, void *);
    int (*join)(pthread_t, void **);
    int (*mutex_lock)(pthread_mutex_t *);
    int (*mutex_trylock)(pthread_mutex_t *);
    int (*cond_wait)(pthread_cond_t *, pthread_mutex_t *);
    int (*cond_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    int (*cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
    int (*rwlock_rdlock)(pthread_rwlock_t *);
    int (*rwlock_tryrdlock)(pthread_rwlock_t *);
    int (*rwlock_wrlock)(pthread_rwlock_t *);
    int (*rwlock_trywrlock)(pthread_rwlock_t *);
    int (*barrier_wait)(pthread_barrier_t *);
    int (*sem_wait)(sem_t *);
    int (*sem_trywait)(sem_t *);
    int (*setname)(pthread_t, const char *);
} real;

static pthread_key_t ending;

/* Before main(), or when a library's constructor needs one. What a lock needs comes first: a name that is not found may
 * lock (next.h). */
static void find(void)
{
    amp_next_find("pthread_mutex_trylock", &real.mutex_trylock);
    amp_next_find("pthread_mutex_lock", &real.mutex_lock);
    amp_next_find("pthread_create", &real.create);
    amp_next_find("thrd_create", &real.create_c11);
    amp_next_find("pthread_join", &real.join);
    amp_next_find("pthread_cond_wait", &real.cond_wait);
    amp_next_find("pthread_cond_timedwait", &real.cond_timedwait);
    amp_next_find("pthread_cond_clockwait", &real.cond_clockwait);
    amp_next_find("pthread_rwlock_rdlock", &real.rwlock_rdlock);
    amp_next_find("pthread_rwlock_tryrdlock", &real.rwlock_tryrdlock);
    amp_next_find("pthread_rwlock_wrlock", &real.rwlock_wrlock);
    amp_next_find("pthread_rwlock_trywrlock", &real.rwlock_trywrlock);
    amp_next_find("pthread_barrier_wait", &real.barrier_wait);
    amp_next_find("sem_wait", &real.sem_wait);
    amp_next_find("sem_trywait", &real.sem_trywait);
    amp_next_find("pthread_setname_np", &real.setname);
}

static inline void ready(void)
{
    if (__builtin_expect(!real.mutex_lock, 0))
        find();
}

static void ends(void *argument)
{
    (void) argument;
    AMP_NOTE(AMP_MARK_POINT, "thread ends", 0);
    amp_ring_end_thread();
}

struct start {
    void *(*run)(void *);
    thrd_start_t run_c11; /* or this */
    void *argument;
};

/* In the thread: what it is to run. */
static struct start begun(void *memory)
{
    struct start start = *(struct start *) memory;

    free(memory);
    pthread_setspecific(ending, &ending); /* not NULL, so that ends() is called */
    AMP_NOTE(AMP_MARK_POINT, "thread starts", 0);
    return start;
}

static void *begin(void *memory)
{
    struct start start = begun(memory);

    return start.run(start.argument);
}

static int begin_c11(void *memory)
{
    struct start start = begun(memory);

    return start.run_c11(start.argument);
}

static struct start *make_start(struct start wanted)
{
    struct start *start = malloc(sizeof *start);

    if (start)
        *start = wanted;
    return start;
}

AMP_RING_EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                                     void *argument)
{
    struct start *start = make_start((struct start){ .run = run, .argument = argument });
    int err;

    ready();
    if (!start)
        return EAGAIN;
    err = real.create(thread, attributes, begin, start);
    if (err)
        free(start);
    return err;
}

AMP_RING_EXPORTED int thrd_create(thrd_t *thread, thrd_start_t run, void *argument)
{
    struct start *start = make_start((struct start){ .run_c11 = run, .argument = argument });
    int err;

    ready();
    if (!start)
        return thrd_nomem;
    err = real.create_c11(thread, begin_c11, start);
    if (err != thrd_success)
        free(start);
    return err;
}

AMP_RING_EXPORTED int pthread_join(pthread_t thread, void **result)
{
    int err;

    ready();
    AMP_NOTE(AMP_MARK_BEGIN, "wait for a thread", 0);
    err = real.join(thread, result);
    AMP_NOTE(AMP_MARK_END, "wait for a thread", 0);
    return err;
}

AMP_RING_EXPORTED int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    int err;

    ready();
    err = real.mutex_trylock(mutex);
    if (err != EBUSY)
        return err;
    AMP_NOTE(AMP_MARK_BEGIN, "wait for a mutex", 0);
    err = real.mutex_lock(mutex);
    AMP_NOTE(AMP_MARK_END, "wait for a mutex", 0);
    return err;
}

AMP_RING_EXPORTED int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    int err;

    ready();
    AMP_NOTE(AMP_MARK_BEGIN, "wait for a condition", 0);
    err = real.cond_wait(condition, mutex);
    AMP_NOTE(AMP_MARK_END, "wait for a condition", 0);
    return err;
}

AMP_RING_EXPORTED int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                             const struct timespec *until)
{
    int err;

    ready();
    AMP_NOTE(AMP_MARK_BEGIN, "wait for a condition", 0);
    err = real.cond_timedwait(condition, mutex, until);
    AMP_NOTE(AMP_MARK_END, "wait for a condition", 0);
    return err;
}

/* What C++ calls for wait_for(); not in every C library. */
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until);
AMP_RING_EXPORTED int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                             const struct timespec *until)
{
    int err;

    ready();
    AMP_NOTE(AMP_MARK_BEGIN, "wait for a condition", 0);
    err = real.cond_clockwait(condition, mutex, clock, until);
    AMP_NOTE(AMP_MARK_END, "wait for a condition", 0);
    return err;
}

AMP_RING_EXPORTED int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    int err;

    ready();
    err = real.rwlock_tryrdlock(lock);
    if (err != EBUSY)
        return err;
    AMP_NOTE(AMP_MARK_BEGIN, "wait to read", 0);
    err = real.rwlock_rdlock(lock);
    AMP_NOTE(AMP_MARK_END, "wait to read", 0);
    return err;
}

AMP_RING_EXPORTED int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    int err;

    ready();
    err = real.rwlock_trywrlock(lock);
    if (err != EBUSY)
        return err;
    AMP_NOTE(AMP_MARK_BEGIN, "wait to write", 0);
    err = real.rwlock_wrlock(lock);
    AMP_NOTE(AMP_MARK_END, "wait to write", 0);
    return err;
}

AMP_RING_EXPORTED int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    int err;

    ready();
    AMP_NOTE(AMP_MARK_BEGIN, "wait at a barrier", 0);
    err = real.barrier_wait(barrier);
    AMP_NOTE(AMP_MARK_END, "wait at a barrier", 0);
    return err;
}

AMP_RING_EXPORTED int sem_wait(sem_t *semaphore)
{
    int before = errno, result;

    ready();
    if (real.sem_trywait(semaphore) == 0)
        return 0;
    errno = before;
    AMP_NOTE(AMP_MARK_BEGIN, "wait for a semaphore", 0);
    result = real.sem_wait(semaphore);
    AMP_NOTE(AMP_MARK_END, "wait for a semaphore", 0);
    return result;
}

AMP_RING_EXPORTED int pthread_setname_np(pthread_t thread, const char *name)
{
    ready();
    if (pthread_equal(thread, pthread_self()))
        amp_ring_rename(name);
    return real.setname(thread, name);
}

/* A thread that has ended in the parent does not end in the child. */
static void forked(void)
{
    AMP_NOTE(AMP_MARK_POINT, "process starts, by fork", 0);
}

static void forking(void)
{
    AMP_NOTE(AMP_MARK_POINT, "fork", 0);
}

__attribute__((constructor)) static void process_begins(void)
{
    ready();
    pthread_key_create(&ending, ends);
    pthread_atfork(forking, NULL, forked);
    amp_ring_begin_process();
    AMP_NOTE(AMP_MARK_POINT, "process starts", 0);
    amp_marks_switch_on();
}

/* Once: a destructor may call _exit(), too. */
__attribute__((destructor)) static void process_ends(void)
{
    static pid_t ended;
    const pid_t self = getpid();

    if (ended == self || !amp_ring_is_of(self))
        return;
    ended = self;
    AMP_NOTE(AMP_MARK_POINT, "process ends", 0);
}

/* As shells and forked children end: no destructor runs. */
AMP_RING_EXPORTED _Noreturn void _exit(int status)
{
    process_ends();
    for (;;)
        syscall(SYS_exit_group, status);
}

AMP_RING_EXPORTED _Noreturn void _Exit(int status)
{
    _exit(status);
}
