/* SPDX-License-Identifier: MIT
 *
 * A producer and a consumer that hands messages back for reuse: how a program avoids its allocator.
 *
 *     thread 0   pool ---> write ---> ring ---> read   thread 1
 *                  ^                              |
 *                  `--------- ring <--------------'
 *
 * malloc is called only if the pool is empty. So a configuration that changes this row changes something else than the
 * speed of malloc, such as the places of the blocks. */
#include "benchmarks/workloads/ring.h"
#include "benchmarks/workloads/slots.h"

enum { MESSAGE_B = 256 };

struct pooled {
    struct ring there, back;
    _Alignas(64) uint64_t sent, allocated;
};

static void *set_up(uint64_t seed)
{
    (void) seed; /* nothing is drawn */
    return amp_map(sizeof(struct pooled));
}

static void produce(struct pooled *pooled, uint64_t ops)
{
    for (uint64_t i = ops; i > 0; i--) {
        void *message;

        if (!ring_try_pop(&pooled->back, &message)) {
            message = amp_alloc(MESSAGE_B);
            pooled->allocated++;
        }
        stamp(message, MESSAGE_B, pooled->sent++);
        ring_push(&pooled->there, message);
    }
}

static uint64_t consume(struct pooled *pooled, uint64_t ops)
{
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        void *message = ring_pop(&pooled->there);
        size_t read = atomic_load_explicit(&pooled->back.read, memory_order_acquire);

        sum += read_stamp(message, MESSAGE_B);
        if (atomic_load_explicit(&pooled->back.written, memory_order_relaxed) - read == RING)
            free(message); /* the pool is full */
        else
            ring_push(&pooled->back, message);
    }
    return sum;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    if (thread > 0)
        return consume(fixture, ops);
    produce(fixture, ops);
    return 0;
}

static void drain(void *fixture)
{
    struct pooled *pooled = fixture;
    void *message;

    while (ring_try_pop(&pooled->there, &message))
        free(message);
    while (ring_try_pop(&pooled->back, &message))
        free(message);
}

/* Both rings full, and a message at either end. */
static uint64_t asked_peak_b(const void *fixture)
{
    const struct pooled *pooled = fixture;
    uint64_t most = 2 * RING + 2;

    return (pooled->allocated < most ? pooled->allocated : most) * MESSAGE_B;
}

static void tear_down(void *fixture)
{
    amp_unmap(fixture, sizeof(struct pooled));
}

AMP_WORKLOAD(producer_pool,
             .purpose = "One thread sends messages of 256 B, another reads them and hands them back to be used again.",
             .operation = "a message there and back, malloc only where none has come back", .threads = 2,
             .chunk_ops = 80000, .latency_ops = 10000, .set_up = set_up, .run = run, .drain = drain,
             .asked_peak_b = asked_peak_b, .tear_down = tear_down);
