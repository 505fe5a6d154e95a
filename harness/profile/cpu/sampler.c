/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program for `--cpu`: each thread has a timer of its CPU time, whose signal finds the stack. The kernel
 * looks at such a timer at its own ticks only; how many were due since the last signal comes with the signal, so the sum
 * is right whatever these are.
 *
 * Such timers end with fork and exec, unlike setitimer()'s, whose signal would end what exec starts. Their signal goes to
 * the thread whose time it is. The counts lie in the file that allocations are counted in, and outlive the process. */
#include "harness/profile/record/region.h"
#include "harness/profile/record/sites.h"
#include "harness/profile/unwind/thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Of each thread. */
struct sampling {
    timer_t timer;
    struct amp_stack_room room; /* not on the stack that was interrupted: it may be a small one */
};

static __thread struct sampling *own __attribute__((tls_model("initial-exec")));
static pthread_key_t key;

/* By this a program knows that it is sampled, and by the other call tells from where to where. */
extern const int amp_profile_ticks;
void amp_profile_count(int on);
__attribute__((visibility("default"))) const int amp_profile_ticks = 1;

__attribute__((visibility("default"))) void amp_profile_count(int on)
{
    __atomic_store_n(&amp_region_off, !on, __ATOMIC_RELAXED);
}

static void on_tick(int number, siginfo_t *info, void *context)
{
    struct amp_profile_head *head = amp_region_head_made();
    const struct amp_caller interrupted = amp_stack_interrupted(context);
    int error = errno;

    (void) number;
    if (own && head && !amp_region_off && info->si_code == SI_TIMER) {
        const uint64_t n = 1 + (uint64_t) info->si_overrun;
        struct amp_profile_site *site;
        struct amp_profile_counts *counts;

        amp_stack_walk(&interrupted, true, &own->room);
        site = amp_site_of(&own->room.stack, 0);
        counts = site ? &site->counts : &head->lost;
        __atomic_fetch_add(&counts->allocs, n, __ATOMIC_RELAXED);
        __atomic_fetch_add(&counts->bytes, n * AMP_PROFILE_TICK_NS, __ATOMIC_RELAXED);
    }
    errno = error;
}

static void end_thread(void *sampling)
{
    own = NULL;
    timer_delete(((struct sampling *) sampling)->timer);
    munmap(sampling, sizeof(struct sampling));
}

/* A thread that cannot have a timer is not sampled: the report compares the sum with the CPU time. */
static void begin_thread(void)
{
    const struct timespec tick = { 0, AMP_PROFILE_TICK_NS };
    const struct itimerspec every = { tick, tick };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF };
    sigset_t prof;
    struct sampling *sampling = mmap(NULL, sizeof *sampling, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (sampling == MAP_FAILED)
        return;
    sigemptyset(&prof);
    sigaddset(&prof, SIGPROF);
    pthread_sigmask(SIG_UNBLOCK, &prof, NULL); /* programs block all signals in threads that are to do work only */
    event.sigev_notify_thread_id = (pid_t) syscall(SYS_gettid);
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &sampling->timer)) {
        munmap(sampling, sizeof *sampling);
        return;
    }
    own = sampling;
    pthread_setspecific(key, sampling);
    timer_settime(sampling->timer, 0, &every, NULL);
}

/* A forked child has no timer, and counts in a file of its own. */
static void begin_child(void)
{
    if (own)
        munmap(own, sizeof *own);
    own = NULL;
    if (amp_region_make())
        begin_thread();
}

__attribute__((constructor)) static void begin_process(void)
{
    struct sigaction action = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

    if (!amp_region_make() || pthread_key_create(&key, end_thread) || sigaction(SIGPROF, &action, NULL))
        return;
    pthread_atfork(NULL, NULL, begin_child);
    begin_thread();
}

struct start {
    void *(*run)(void *);
    void *argument;
};

static void *run_thread(void *argument)
{
    const struct start start = *(struct start *) argument;

    free(argument);
    begin_thread();
    return start.run(start.argument);
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                                          void *(*run)(void *), void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
    struct start *start = malloc(sizeof *start);
    int err;

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "pthread_create");
    if (!start)
        return EAGAIN;
    *start = (struct start){ run, argument };
    err = real(thread, attributes, run_thread, start);
    if (err)
        free(start);
    return err;
}

/* What is unloaded frees its place for another library. */
__attribute__((visibility("default"))) int dlclose(void *library)
{
    static int (*real)(void *);
    int error;

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "dlclose");
    error = real(library);
    amp_sites_forget();
    amp_stack_forget();
    return error;
}
