/* SPDX-License-Identifier: MIT
 *
 * A second thread for lessons that need one, beside kernel.h.
 *
 *   set_up      amp_helper_start()     the thread exists, and sleeps
 *   run         amp_helper_give(f, x)  --> it runs f(x), at once if it is still awake
 *               ...                        while the kernel does its own part
 *               amp_helper_wait()      <-- f has returned; what it wrote can be read
 *   tear_down   amp_helper_end()
 *
 * The thread is part of the fixture, so that no measurement pays for starting it. The function that it runs comes from
 * the module that calls amp_helper_give(), so that its code stands where the layout puts it. After the function it
 * stays awake for AMP_SPINS pauses, some tens of microseconds. So the warm-up before each epoch wakes it, and the epoch
 * finds it awake. Then it sleeps, and takes no CPU from the other side's threads.
 *
 * A lesson that uses this sets `.threads = 1`, so that its processes are not pinned to one CPU. When the thread gets
 * its first function, it pins its starter to one CPU and itself to the others, until tear_down. The scheduler would put
 * both on one CPU in half of all processes, where they take turns for milliseconds and both sides take equally long. */
#ifndef AMP_THREADS_H
#define AMP_THREADS_H

#include "harness/kernel.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#define AMP_LINE_B 64

struct amp_helper {
    _Alignas(AMP_LINE_B) atomic_int state; /* enum amp_helper_state */
    void (*run)(void *argument);
    void *argument;
    sem_t woken;
    pthread_t thread, starter;
    cpu_set_t allowed; /* to the starter, before it was taken to one of them */
};

enum amp_helper_state { AMP_HELPER_AWAKE, AMP_HELPER_ASLEEP, AMP_HELPER_BUSY };

/* Tell the processor that this loop waits. It and what kernels call besides are inlined at every level: a function of
 * its own would be placed by both sides together. */
static AMP_ALWAYS_INLINE void amp_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* For a loop that waits for another thread: yields now and then, since that thread may need this CPU. */
#define AMP_SPINS 1024

static AMP_ALWAYS_INLINE void amp_wait_a_little(unsigned *amp_spins)
{
    amp_pause();
    if (++*amp_spins % AMP_SPINS == 0)
        sched_yield();
}

/* Pin both threads. Not at the start: with two fixtures in one process, the second thread would inherit a single
 * CPU. */
static void amp_helper_place(const struct amp_helper *amp_helping)
{
    cpu_set_t amp_starter = amp_helping->allowed, amp_others = amp_helping->allowed;
    int amp_cpu = CPU_SETSIZE;

    if (CPU_COUNT(&amp_others) < 2 || pthread_getaffinity_np(amp_helping->starter, sizeof amp_starter, &amp_starter))
        return;
    do /* the last CPU, since the first takes most interrupts */
        amp_cpu--;
    while (!CPU_ISSET((size_t) amp_cpu, &amp_starter)); /* a macro, which may look at its argument twice */
    CPU_ZERO(&amp_starter);
    CPU_SET((size_t) amp_cpu, &amp_starter);
    CPU_CLR((size_t) amp_cpu, &amp_others);
    (void) pthread_setaffinity_np(amp_helping->starter, sizeof amp_starter, &amp_starter); /* may fail: slower */
    (void) pthread_setaffinity_np(amp_helping->thread, sizeof amp_others, &amp_others);
}

static void *amp_helper_main(void *amp_memory)
{
    struct amp_helper *amp_helping = (struct amp_helper *) amp_memory;
    int amp_placed = 0;

    for (;;) {
        int amp_state = AMP_HELPER_AWAKE;

        for (unsigned amp_spins = 0; amp_spins < AMP_SPINS; amp_spins++) {
            if (atomic_load_explicit(&amp_helping->state, memory_order_acquire) == AMP_HELPER_BUSY)
                break;
            amp_pause();
        }
        if (atomic_compare_exchange_strong(&amp_helping->state, &amp_state, AMP_HELPER_ASLEEP))
            while (sem_wait(&amp_helping->woken))
                continue; /* a signal came */
        if (!amp_helping->run)
            return NULL;
        if (!amp_placed++)
            amp_helper_place(amp_helping);
        amp_helping->run(amp_helping->argument);
        atomic_store_explicit(&amp_helping->state, AMP_HELPER_AWAKE, memory_order_release);
    }
}

/* Let the helper run `run(argument)`; it must be idle. NULL ends it. */
static AMP_ALWAYS_INLINE void amp_helper_give(struct amp_helper *amp_helping, void (*amp_run)(void *),
                                   void *amp_argument)
{
    amp_helping->run = amp_run;
    amp_helping->argument = amp_argument;
    if (atomic_exchange(&amp_helping->state, AMP_HELPER_BUSY) == AMP_HELPER_ASLEEP)
        sem_post(&amp_helping->woken);
}

static AMP_ALWAYS_INLINE void amp_helper_wait(const struct amp_helper *amp_helping)
{
    unsigned amp_spins = 0;

    while (atomic_load_explicit(&amp_helping->state, memory_order_acquire) == AMP_HELPER_BUSY)
        amp_wait_a_little(&amp_spins);
}

/* Ends the process if no thread can be started. */
static inline void amp_helper_start(struct amp_helper *amp_helping)
{
    atomic_init(&amp_helping->state, AMP_HELPER_AWAKE);
    amp_helping->starter = pthread_self();
    if (pthread_getaffinity_np(amp_helping->starter, sizeof amp_helping->allowed, &amp_helping->allowed))
        CPU_ZERO(&amp_helping->allowed);
    if (sem_init(&amp_helping->woken, 0, 0) || pthread_create(&amp_helping->thread, NULL, amp_helper_main, amp_helping))
        _exit(AMP_EXIT_NO_MEMORY);
}

static inline void amp_helper_end(struct amp_helper *amp_helping)
{
    amp_helper_give(amp_helping, NULL, NULL);
    pthread_join(amp_helping->thread, NULL);
    sem_destroy(&amp_helping->woken);
    if (CPU_COUNT(&amp_helping->allowed) > 0)
        (void) pthread_setaffinity_np(amp_helping->starter, sizeof amp_helping->allowed, &amp_helping->allowed);
}

/* A fixture of `size` bytes that begins on a cache line; free() frees it. */
static inline void *amp_alloc_lines(size_t amp_size)
{
    void *amp_p = aligned_alloc(AMP_LINE_B, (amp_size + AMP_LINE_B - 1) / AMP_LINE_B * AMP_LINE_B);

    if (!amp_p)
        _exit(AMP_EXIT_NO_MEMORY);
    return amp_p;
}

#endif
