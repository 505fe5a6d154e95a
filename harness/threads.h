/* SPDX-License-Identifier: MIT
 *
 * A second thread for lessons that need one, beside kernel.h.
 *
 *   set_up      amp_helper_start()     the thread is there, and sleeps
 *   run         amp_helper_give(f, x)  --> it runs f(x), at once where it has just been awake
 *               ...                        while the kernel does its own part
 *               amp_helper_wait()      <-- f has returned; what it wrote can be read
 *   tear_down   amp_helper_end()
 *
 * The thread is part of the fixture, so that no measurement pays for starting it; what it runs comes from the module
 * that gives it, so that its code stands where the layout says. Having finished it stays awake for SPINS pauses, some
 * tens of microseconds: the operations that the harness runs to warm up before each epoch wake it, and the epoch finds
 * it awake. Then it sleeps, so that it takes no CPU from the other side's threads.
 *
 * A lesson that uses this says so by `.threads = 1`: its processes are then not pinned to one CPU. With its first order
 * the thread takes its starter to one CPU and itself to the others, until tear_down: left to the scheduler, in half of
 * all processes the two come to share a CPU, take turns for milliseconds, and either side takes as long. */
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

/* The processor's hint that this is a loop that waits. */
static inline void amp_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* In a loop that waits for another thread: where there are more threads than CPUs, the other one may need ours. */
#define AMP_SPINS 1024

static inline void amp_wait_a_little(unsigned *spins)
{
    amp_pause();
    if (++*spins % AMP_SPINS == 0)
        sched_yield();
}

/* Not when it is started: of two fixtures in one process the second's thread would find one CPU to choose from. */
static void amp_helper_place(const struct amp_helper *helper)
{
    cpu_set_t starter = helper->allowed, others = helper->allowed;
    int cpu = CPU_SETSIZE;

    if (CPU_COUNT(&others) < 2 || pthread_getaffinity_np(helper->starter, sizeof starter, &starter))
        return;
    while (!CPU_ISSET((size_t) --cpu, &starter)) /* the last: the first takes most interrupts */
        continue;
    CPU_ZERO(&starter);
    CPU_SET((size_t) cpu, &starter);
    CPU_CLR((size_t) cpu, &others);
    (void) pthread_setaffinity_np(helper->starter, sizeof starter, &starter); /* wishes: without them, slower */
    (void) pthread_setaffinity_np(helper->thread, sizeof others, &others);
}

static void *amp_helper_main(void *memory)
{
    struct amp_helper *helper = (struct amp_helper *) memory;
    int placed = 0;

    for (;;) {
        int state = AMP_HELPER_AWAKE;

        for (unsigned spins = 0; spins < AMP_SPINS; spins++) {
            if (atomic_load_explicit(&helper->state, memory_order_acquire) == AMP_HELPER_BUSY)
                break;
            amp_pause();
        }
        if (atomic_compare_exchange_strong(&helper->state, &state, AMP_HELPER_ASLEEP))
            while (sem_wait(&helper->woken))
                continue; /* a signal came */
        if (!helper->run)
            return NULL;
        if (!placed++)
            amp_helper_place(helper);
        helper->run(helper->argument);
        atomic_store_explicit(&helper->state, AMP_HELPER_AWAKE, memory_order_release);
    }
}

/* Let the helper run `run(argument)`; it has nothing to do at this moment. NULL ends it. */
static inline void amp_helper_give(struct amp_helper *helper, void (*run)(void *argument), void *argument)
{
    helper->run = run;
    helper->argument = argument;
    if (atomic_exchange(&helper->state, AMP_HELPER_BUSY) == AMP_HELPER_ASLEEP)
        sem_post(&helper->woken);
}

static inline void amp_helper_wait(const struct amp_helper *helper)
{
    unsigned spins = 0;

    while (atomic_load_explicit(&helper->state, memory_order_acquire) == AMP_HELPER_BUSY)
        amp_wait_a_little(&spins);
}

/* The child ends where there is no thread to be had. */
static inline void amp_helper_start(struct amp_helper *helper)
{
    atomic_init(&helper->state, AMP_HELPER_AWAKE);
    helper->starter = pthread_self();
    if (pthread_getaffinity_np(helper->starter, sizeof helper->allowed, &helper->allowed))
        CPU_ZERO(&helper->allowed);
    if (sem_init(&helper->woken, 0, 0) || pthread_create(&helper->thread, NULL, amp_helper_main, helper))
        _exit(AMP_EXIT_NO_MEMORY);
}

static inline void amp_helper_end(struct amp_helper *helper)
{
    amp_helper_give(helper, NULL, NULL);
    pthread_join(helper->thread, NULL);
    sem_destroy(&helper->woken);
    if (CPU_COUNT(&helper->allowed) > 0)
        (void) pthread_setaffinity_np(helper->starter, sizeof helper->allowed, &helper->allowed);
}

/* A fixture of `size` bytes that begins at a line of the cache; free() frees it. */
static inline void *amp_alloc_lines(size_t size)
{
    void *p = aligned_alloc(AMP_LINE_B, (size + AMP_LINE_B - 1) / AMP_LINE_B * AMP_LINE_B);

    if (!p)
        _exit(AMP_EXIT_NO_MEMORY);
    return p;
}

#endif
