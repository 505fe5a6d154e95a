/* SPDX-License-Identifier: MIT
 *
 * A queue from one thread to one other (Lamport's): a ring of pointers, each end on a cache line of its own. At a full
 * or empty ring a thread spins, and then yields the CPU, which the other thread may need. */
#ifndef AMP_RING_H
#define AMP_RING_H

#include "harness/threads.h"
#include "harness/workload.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { RING = 256, SPINS = 1000 };

struct ring {
    _Alignas(64) atomic_size_t written;
    _Alignas(64) atomic_size_t read;
    _Alignas(64) void *slot[RING];
};

static inline void ring_wait(unsigned *spins)
{
    if (++*spins < SPINS)
        amp_pause();
    else
        sched_yield();
}

static inline bool ring_try_pop(struct ring *ring, void **out)
{
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);

    if (read == atomic_load_explicit(&ring->written, memory_order_acquire))
        return false;
    *out = ring->slot[read % RING];
    atomic_store_explicit(&ring->read, read + 1, memory_order_release);
    return true;
}

static inline void *ring_pop(struct ring *ring)
{
    unsigned spins = 0;
    void *p;

    while (!ring_try_pop(ring, &p))
        ring_wait(&spins);
    return p;
}

static inline void ring_push(struct ring *ring, void *p)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    unsigned spins = 0;

    while (written - atomic_load_explicit(&ring->read, memory_order_acquire) == RING)
        ring_wait(&spins);
    ring->slot[written % RING] = p;
    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
}

#endif
