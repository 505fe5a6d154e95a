/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program for `--cpu`: each thread has a timer of its CPU time, whose signal finds the stack. The
 * kernel looks at such a timer at its own ticks only; how many were due since the last signal comes with the signal, so
 * the sum is right whatever these are. What a thread took since the last look counts where that found it, when the
 * thread ends or its process does; if none found it, in the function that the thread began with.
 *
 * Such timers end with fork and exec, unlike setitimer()'s, whose signal would end what exec starts. Their signal goes
 * to the thread whose time it is. The counts lie in the file that allocations are counted in, and outlive the
 * process. */
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
#include <threads.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* More than this is no time since the last look: the signal was blocked, or the program's own. */
#define REST_MOST_NS 100000000

/* Of each thread. */
struct sampling {
    timer_t timer;
    pid_t thread; /* not that of a child by vfork(), which has this memory, too */
    uint64_t begin_ns, ticks;
    uintptr_t start;                 /* the function that it began with; 0: main() or a fork */
    struct amp_profile_counts *last; /* where the last tick was; NULL: there was none */
    struct amp_stack_room room; /* not on the stack that was interrupted: it may be a small one */
};

static __thread struct sampling *own __attribute__((tls_model("initial-exec")));
static pthread_key_t key;
static uint64_t rests_ns; /* of all threads that ended, without ticks so far */

/* By this a program knows that it is sampled, and by the other call tells from where to where. */
extern const int amp_profile_ticks;
void amp_profile_count(int on);
__attribute__((visibility("default"))) const int amp_profile_ticks = 1;

__attribute__((visibility("default"))) void amp_profile_count(int on)
{
    __atomic_store_n(&amp_region_off, !on, __ATOMIC_RELAXED);
}

static void add(struct amp_profile_counts *counts, uint64_t n)
{
    __atomic_fetch_add(&counts->allocs, n, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counts->bytes, n * AMP_PROFILE_TICK_NS, __ATOMIC_RELAXED);
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
        add(counts, n);
        own->last = counts;
        own->ticks += n;
    }
    errno = error;
}

static uint64_t thread_ns(void)
{
    struct timespec now;

    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) ? 0
                                                        : (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static struct amp_profile_counts *counts_of_start(const struct sampling *sampling, struct amp_profile_head *head)
{
    const uintptr_t pc = sampling->start + 1; /* as of a call */
    const struct amp_stack stack = { .caller.pc = pc, .hash = pc * 0x9e3779b97f4a7c15u, .n = 1 };
    struct amp_profile_site *site = sampling->start ? amp_site_of(&stack, 0) : NULL;

    return site ? &site->counts : &head->lost;
}

/* What this thread took that no signal told of. Its timer is deleted, so that no signal comes to it while it holds a
 * lock. */
static void settle(struct sampling *sampling)
{
    struct amp_profile_head *head = amp_region_head_made();
    const uint64_t told_ns = sampling->begin_ns + sampling->ticks * AMP_PROFILE_TICK_NS, now_ns = thread_ns();
    const uint64_t rest_ns = now_ns > told_ns ? now_ns - told_ns : 0;
    uint64_t before_ns, n;

    if (!head || amp_region_off || rest_ns == 0)
        return;
    before_ns = __atomic_fetch_add(&rests_ns, rest_ns, __ATOMIC_RELAXED);
    n = (before_ns + rest_ns) / AMP_PROFILE_TICK_NS - before_ns / AMP_PROFILE_TICK_NS;
    if (n > 0)
        add(rest_ns > REST_MOST_NS ? &head->lost
            : sampling->last       ? sampling->last
                                   : counts_of_start(sampling, head),
            n);
}

static void end_thread(void *ended)
{
    struct sampling *sampling = ended;

    timer_delete(sampling->timer);
    if (own == sampling)
        settle(sampling);
    own = NULL;
    munmap(sampling, sizeof *sampling);
}

/* The thread that ends the process; the others are not asked. */
static void end_process(void)
{
    struct sampling *sampling = own;

    if (!sampling || sampling->thread != (pid_t) syscall(SYS_gettid))
        return;
    own = NULL;
    timer_delete(sampling->timer);
    settle(sampling);
}

__attribute__((destructor)) static void end_by_return(void)
{
    end_process();
}

__attribute__((visibility("default"))) void _exit(int status)
{
    end_process();
    for (;;)
        syscall(SYS_exit_group, status);
}

__attribute__((visibility("default"))) void _Exit(int status)
{
    _exit(status);
}

/* A thread that cannot have a timer is not sampled: the report compares the sum with the CPU time. */
static void begin_thread(uintptr_t start)
{
    const struct timespec tick = { 0, AMP_PROFILE_TICK_NS };
    const struct itimerspec every = { tick, tick };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF };
    sigset_t prof;
    struct sampling *sampling =
        mmap(NULL, sizeof *sampling, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (sampling == MAP_FAILED)
        return;
    sigemptyset(&prof);
    sigaddset(&prof, SIGPROF);
    pthread_sigmask(SIG_UNBLOCK, &prof, NULL); /* programs block all signals in threads that are to do work only */
    *sampling = (struct sampling){ .thread = (pid_t) syscall(SYS_gettid), .start = start };
    event.sigev_notify_thread_id = sampling->thread;
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &sampling->timer)) {
        munmap(sampling, sizeof *sampling);
        return;
    }
    sampling->begin_ns = thread_ns();
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
    rests_ns = 0;
    if (amp_region_make())
        begin_thread(0);
}

__attribute__((constructor)) static void begin_process(void)
{
    struct sigaction action = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

    if (!amp_region_make() || pthread_key_create(&key, end_thread) || sigaction(SIGPROF, &action, NULL))
        return;
    pthread_atfork(NULL, NULL, begin_child);
    begin_thread(0);
}

struct start {
    void *(*run)(void *);
    int (*run_c11)(void *);
    void *argument;
};

static void *run_thread(void *argument)
{
    const struct start start = *(struct start *) argument;

    free(argument);
    begin_thread((uintptr_t) start.run);
    return start.run(start.argument);
}

static int run_c11(void *argument)
{
    const struct start start = *(struct start *) argument;

    free(argument);
    begin_thread((uintptr_t) start.run_c11);
    return start.run_c11(start.argument);
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
    *start = (struct start){ .run = run, .argument = argument };
    err = real(thread, attributes, run_thread, start);
    if (err)
        free(start);
    return err;
}

__attribute__((visibility("default"))) int thrd_create(thrd_t *thread, thrd_start_t run, void *argument)
{
    static int (*real)(thrd_t *, thrd_start_t, void *);
    struct start *start = malloc(sizeof *start);
    int err;

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "thrd_create");
    if (!start)
        return thrd_nomem;
    *start = (struct start){ .run_c11 = run, .argument = argument };
    err = real(thread, run_c11, start);
    if (err != thrd_success)
        free(start);
    return err;
}

/* What is unloaded frees its place for another library. */
__attribute__((visibility("default"))) int dlclose(void *library)
{
    static int (*real)(void *);
    sigset_t prof, before;
    int error;

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "dlclose");
    error = real(library);
    sigemptyset(&prof);
    sigaddset(&prof, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &prof, &before); /* its handler wants the same lock */
    amp_sites_forget();
    amp_stack_forget();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}
