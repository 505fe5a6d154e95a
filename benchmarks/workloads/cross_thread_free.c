/* SPDX-License-Identifier: MIT
 *
 * One thread allocates messages, another frees them.
 *
 *     thread 0   malloc, write ---> ring of 256 ---> read, free   thread 1
 *
 * The memory must get back to the thread that allocates, although an allocator caches it for the thread that frees. */
#include "benchmarks/workloads/ring.h"
#include "benchmarks/workloads/slots.h"

struct message {
    uint64_t stamp, size;
};

struct crossing {
    struct ring ring;
    _Alignas(64) uint64_t random, sent;
    _Alignas(64) uint64_t received;
};

enum { LARGEST_B = 256 };

static void *set_up(uint64_t seed)
{
    struct crossing *crossing = amp_map(sizeof *crossing);

    crossing->random = seed;
    return crossing;
}

static void send(struct crossing *crossing, uint64_t ops)
{
    for (uint64_t i = ops; i > 0; i--) {
        size_t size = 16 + (size_t) amp_random_below(&crossing->random, LARGEST_B - 15);
        struct message *message = amp_alloc(size);

        *message = (struct message){ crossing->sent++, size };
        ring_push(&crossing->ring, message);
    }
}

static uint64_t receive(struct crossing *crossing, uint64_t ops)
{
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct message *message = ring_pop(&crossing->ring);

        sum += message->stamp * 3 + message->size;
        free(message);
        crossing->received++;
    }
    return sum;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    if (thread > 0)
        return receive(fixture, ops);
    send(fixture, ops);
    return 0;
}

static void drain(void *fixture)
{
    struct crossing *crossing = fixture;
    void *message;

    while (ring_try_pop(&crossing->ring, &message))
        free(message);
}

/* As much as the ring holds, of the mean size. */
static uint64_t asked_peak_b(const void *fixture)
{
    (void) fixture;
    return RING * (16 + LARGEST_B) / 2;
}

static void tear_down(void *fixture)
{
    amp_unmap(fixture, sizeof(struct crossing));
}

AMP_WORKLOAD(cross_thread_free,
             .purpose = "One thread allocates messages of 16 to 256 B, another reads and frees them.",
             .operation = "a malloc, the way through a ring, and a free on the other side", .threads = 2,
             .chunk_ops = 40000, .latency_ops = 10000, .set_up = set_up, .run = run, .drain = drain,
             .asked_peak_b = asked_peak_b, .tear_down = tear_down);
