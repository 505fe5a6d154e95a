/* SPDX-License-Identifier: MIT
 *
 * Send objects to another thread through a bounded queue: the objects, or their addresses.
 *
 *             sender                     queue, 64 slots                      receiver
 *   thread_send
 *     value   [ o ] --copy-->  [ o ][ o ][ o ][   ]           --read where it is-->  slot given back
 *     pointer [ & ] -------->  [ & ][ & ][ & ][   ] --> [ o ] --read--> free()       malloc() by the sender
 *
 *   thread_send_pool
 *     value   the same
 *     pointer [ & ] -------->  [ & ][ & ][ & ][   ] --> [ o ] --read--> given back with the slot: no allocation
 *
 * Same on both sides:  the queue, one sender and one receiver; the object's bytes, all written by the sender and all
 *                      read by the receiver.
 * Different:           whether the object's bytes go through the queue, and who frees their memory. The copy into the
 *                      queue loads what was stored just before, at 16 B by a wider load than any of these stores
 *                      (store_forward). Memory that one thread allocates and another frees is hard for an allocator,
 *                      since each thread has its own cache. A sender with an object of its own fills it before it
 *                      waits for room; in a pool, the object comes with the room.
 *
 * The kernel is the sender. It starts and ends with an empty queue, so its time includes the way of the last object.
 * Both threads spin while they wait.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/boundaries/thread_send.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 16 || (n) == 1024 || (n) == 16384)
#include "harness/subjects.h"
#include "harness/threads.h"

#ifdef AMP_SUBJECT

#define SLOTS 64
#define queue AMP_NAME(queue)
#define fill AMP_NAME(fill)
#define add_up AMP_NAME(add_up)
#define receive_value AMP_NAME(receive_value)
#define receive_pointer AMP_NAME(receive_pointer)
#define receive_pool AMP_NAME(receive_pool)
#define wait_for_room AMP_NAME(wait_for_room)
#define wait_for_object AMP_NAME(wait_for_object)
#define finish AMP_NAME(finish)
#define run_pool AMP_NAME(run_pool)
#define set_up_queue AMP_NAME(set_up_queue)
#define tear_down_queue AMP_NAME(tear_down_queue)

struct queue {
    struct amp_helper receiver;
    _Alignas(AMP_LINE_B) atomic_size_t sent; /* each thread writes one line and reads the other's */
    _Alignas(AMP_LINE_B) atomic_size_t received;
    _Alignas(AMP_LINE_B) uint64_t ops; /* of this run, the receiver's orders */
    uint64_t sum;                      /* and its answer */
    subject *values;                   /* [SLOTS]; the pool of the side with one */
    subject *pointers[SLOTS];
};

/* All of the object's bytes, so that they are in the sender's cache and not yet in the receiver's. */
static inline void fill(subject *object, uint64_t number)
{
    memset(object, (int) (number & 0x7f), sizeof *object);
    amp_set_ends(object, number);
}

/* All of them again, a word at a time. */
static inline uint64_t add_up(const subject *object)
{
    const unsigned char *byte = (const unsigned char *) object;
    uint64_t sum = amp_ends(object), word;

    for (size_t at = 0; at + sizeof word <= sizeof *object; at += sizeof word) {
        memcpy(&word, byte + at, sizeof word);
        sum += word;
    }
    return sum;
}

static inline void wait_for_room(struct queue *q, size_t sent)
{
    unsigned spins = 0;

    while (sent - atomic_load_explicit(&q->received, memory_order_acquire) >= SLOTS)
        amp_wait_a_little(&spins);
}

static inline void wait_for_object(struct queue *q, size_t received)
{
    unsigned spins = 0;

    while (atomic_load_explicit(&q->sent, memory_order_acquire) == received)
        amp_wait_a_little(&spins);
}

static AMP_NOINLINE void receive_value(void *memory)
{
    struct queue *q = (struct queue *) memory;
    size_t received = atomic_load_explicit(&q->received, memory_order_relaxed);
    uint64_t sum = 0;

    for (uint64_t i = q->ops; i > 0; i--) {
        wait_for_object(q, received);
        sum += add_up(&q->values[received % SLOTS]);
        atomic_store_explicit(&q->received, ++received, memory_order_release);
    }
    q->sum = sum;
}

static AMP_NOINLINE void receive_pointer(void *memory)
{
    struct queue *q = (struct queue *) memory;
    size_t received = atomic_load_explicit(&q->received, memory_order_relaxed);
    uint64_t sum = 0;

    for (uint64_t i = q->ops; i > 0; i--) {
        subject *object;

        wait_for_object(q, received);
        object = q->pointers[received % SLOTS];
        sum += add_up(object);
        free(object);
        atomic_store_explicit(&q->received, ++received, memory_order_release);
    }
    q->sum = sum;
}

/* The slot keeps its object, so with the slot the sender gets the object back. */
static AMP_NOINLINE void receive_pool(void *memory)
{
    struct queue *q = (struct queue *) memory;
    size_t received = atomic_load_explicit(&q->received, memory_order_relaxed);
    uint64_t sum = 0;

    for (uint64_t i = q->ops; i > 0; i--) {
        wait_for_object(q, received);
        sum += add_up(q->pointers[received % SLOTS]);
        atomic_store_explicit(&q->received, ++received, memory_order_release);
    }
    q->sum = sum;
}

static inline uint64_t finish(struct queue *q)
{
    amp_helper_wait(&q->receiver);
    return q->sum;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct queue *q = fixture;
    size_t sent = atomic_load_explicit(&q->sent, memory_order_relaxed);

    q->ops = ops;
    amp_helper_give(&q->receiver, receive_value, q);
    for (uint64_t i = ops; i > 0; i--) {
        subject object;

        fill(&object, i);
        amp_keep(&object);
        wait_for_room(q, sent);
        q->values[sent % SLOTS] = object;
        atomic_store_explicit(&q->sent, ++sent, memory_order_release);
    }
    return finish(q);
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct queue *q = fixture;
    size_t sent = atomic_load_explicit(&q->sent, memory_order_relaxed);

    q->ops = ops;
    amp_helper_give(&q->receiver, receive_pointer, q);
    for (uint64_t i = ops; i > 0; i--) {
        subject *object = amp_alloc(sizeof *object);

        fill(object, i);
        amp_keep(object);
        wait_for_room(q, sent);
        q->pointers[sent % SLOTS] = object;
        atomic_store_explicit(&q->sent, ++sent, memory_order_release);
    }
    return finish(q);
}

static uint64_t run_pool(void *fixture, uint64_t ops)
{
    struct queue *q = fixture;
    size_t sent = atomic_load_explicit(&q->sent, memory_order_relaxed);

    q->ops = ops;
    amp_helper_give(&q->receiver, receive_pool, q);
    for (uint64_t i = ops; i > 0; i--) {
        subject *object;

        wait_for_room(q, sent);
        object = q->pointers[sent % SLOTS];
        fill(object, i);
        amp_keep(object);
        atomic_store_explicit(&q->sent, ++sent, memory_order_release);
    }
    return finish(q);
}

static void *set_up_queue(size_t size)
{
    struct queue *q = amp_alloc_lines(sizeof *q);

    memset(q, 0, sizeof *q);
    q->values = amp_object_set_up(SLOTS * size);
    for (size_t k = 0; k < SLOTS; k++)
        q->pointers[k] = &q->values[k];
    amp_helper_start(&q->receiver);
    return q;
}

static void tear_down_queue(void *fixture)
{
    struct queue *q = fixture;

    amp_helper_end(&q->receiver);
    free(q->values);
    free(q);
}

AMP_PAIR(thread_send,
         .question = "What does it cost to send an object to a thread by value, and what by a pointer that it frees?",
         .value = { run_value, .set_up = set_up_queue, .tear_down = tear_down_queue },
         .pointer = { run_pointer, .set_up = set_up_queue, .tear_down = tear_down_queue,
                      .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)), .threads = 1,
         AMP_CLAIMS({ AMP_VALUE, .to = 1024, .text =
                      "Send values up to a kilobyte: the copy is cheaper than an allocation that another thread "
                      "frees." }),
         .prefer = "Send a pointer only if the sender gives the object up.");

AMP_PAIR(thread_send_pool,
         .question = "What does it cost to send an object to a thread by value, and what by a pointer from a pool?",
         .value = { run_value, .set_up = set_up_queue, .tear_down = tear_down_queue },
         .pointer = { run_pool, .label = "pooled pointer", .set_up = set_up_queue, .tear_down = tear_down_queue },
         .sizes = AMP_SIZES(sizeof(subject)), .threads = 1,
         AMP_CLAIMS({ AMP_POINTER, .to = 1024, .text =
                      "If objects go from thread to thread all the time, let each slot keep one of its own: nothing "
                      "is copied and nothing allocated." }));

#endif
