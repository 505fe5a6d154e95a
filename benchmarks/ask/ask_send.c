/* SPDX-License-Identifier: MIT
 *
 * Send objects to another thread through a bounded queue: by value, or as pointers to heap objects that the receiver
 * frees.
 *
 *   value     sender --> |[ e7 ][ e6 ][ e5 ] ... | --> receiver     N bytes copied in, N bytes copied out
 *   pointer   sender --> |[ & ][ & ][ & ] ...    | --> receiver     8 bytes in, 8 bytes out, 1 allocation
 *                           `--> [ e7 ] on the heap, N bytes written by the one thread, freed by the other
 *
 * Same on both sides:  the queue (one sender, one receiver, 64 places), the objects, all of whose bytes are written by
 *                      the sender, and the two bytes that the receiver reads.
 * Different:           how many bytes move from core to core, and who must free the object.
 *
 * The receiver's thread belongs to the fixture; it sleeps while the other side is timed. Waking it costs some
 * microseconds a run, the same on both sides, so epochs must be much longer than that. */
#include "harness/kernel.h"
#include "harness/subjects.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#ifdef AMP_SUBJECT

#define PLACES 64
#define LINE_B 64
#define SPINS 256 /* looks at the other side's count before the CPU is offered to others */

struct ask_queue {
    subject *model;
    subject *values;    /* PLACES of them, or NULL */
    subject **pointers; /* or these */
    _Alignas(LINE_B) atomic_uint_fast64_t sent;
    _Alignas(LINE_B) atomic_uint_fast64_t received;
    _Alignas(LINE_B) pthread_mutex_t lock; /* of what follows, which the receiver's thread waits for and answers */
    pthread_cond_t changed;
    uint64_t (*receive)(struct ask_queue *queue, uint64_t ops); /* of the layout that runs; NULL: nothing to do */
    uint64_t ops, sum;
    int ends;
    pthread_t thread;
};

static AMP_ALWAYS_INLINE void ask_wait_for(atomic_uint_fast64_t *count, uint64_t least)
{
    for (unsigned spins = 0; atomic_load_explicit(count, memory_order_acquire) < least; spins++)
        if (spins % SPINS == SPINS - 1)
            sched_yield();
}

static AMP_NOINLINE uint64_t ask_receive_value(struct ask_queue *queue, uint64_t ops)
{
    uint64_t sum = 0, at = queue->received;

    for (uint64_t i = ops; i > 0; i--, at++) {
        subject object;

        ask_wait_for(&queue->sent, at + 1);
        object = queue->values[at % PLACES];
        amp_keep(&object);
        atomic_store_explicit(&queue->received, at + 1, memory_order_release);
        sum += amp_ends(&object);
    }
    return sum;
}

static AMP_NOINLINE uint64_t ask_receive_pointer(struct ask_queue *queue, uint64_t ops)
{
    uint64_t sum = 0, at = queue->received;

    for (uint64_t i = ops; i > 0; i--, at++) {
        subject *object;

        ask_wait_for(&queue->sent, at + 1);
        object = queue->pointers[at % PLACES];
        atomic_store_explicit(&queue->received, at + 1, memory_order_release);
        sum += amp_ends(object);
        free(object);
    }
    return sum;
}

/* Give the receiver its work, and later take its sum: only then has everything arrived. */
static AMP_ALWAYS_INLINE void ask_begin(struct ask_queue *queue, uint64_t (*receive)(struct ask_queue *, uint64_t),
                                        uint64_t ops)
{
    pthread_mutex_lock(&queue->lock);
    queue->receive = receive;
    queue->ops = ops;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static AMP_ALWAYS_INLINE uint64_t ask_end(struct ask_queue *queue, uint64_t sent)
{
    uint64_t sum;

    ask_wait_for(&queue->received, sent);
    pthread_mutex_lock(&queue->lock);
    while (queue->receive)
        pthread_cond_wait(&queue->changed, &queue->lock);
    sum = queue->sum;
    pthread_mutex_unlock(&queue->lock);
    return sum;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct ask_queue *queue = fixture;
    const subject *model = amp_object(queue->model);
    uint64_t at = queue->sent;

    ask_begin(queue, ask_receive_value, ops);
    for (uint64_t i = ops; i > 0; i--, at++) {
        if (at >= PLACES)
            ask_wait_for(&queue->received, at + 1 - PLACES);
        amp_keep(model); /* the compiler must believe that the model may have changed */
        queue->values[at % PLACES] = *model;
        atomic_store_explicit(&queue->sent, at + 1, memory_order_release);
    }
    return ask_end(queue, at);
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct ask_queue *queue = fixture;
    const subject *model = amp_object(queue->model);
    uint64_t at = queue->sent;

    ask_begin(queue, ask_receive_pointer, ops);
    for (uint64_t i = ops; i > 0; i--, at++) {
        subject *object = amp_alloc(sizeof *object);

        amp_keep(model);
        *object = *model;
        if (at >= PLACES)
            ask_wait_for(&queue->received, at + 1 - PLACES);
        queue->pointers[at % PLACES] = object;
        atomic_store_explicit(&queue->sent, at + 1, memory_order_release);
    }
    return ask_end(queue, at);
}

static void *ask_thread(void *memory)
{
    struct ask_queue *queue = memory;

    free(amp_alloc(1)); /* let the allocator make its cache for the freeing thread now, outside the timing */
    pthread_mutex_lock(&queue->lock);
    for (;;) {
        while (!queue->receive && !queue->ends)
            pthread_cond_wait(&queue->changed, &queue->lock);
        if (queue->ends)
            break;
        pthread_mutex_unlock(&queue->lock);
        queue->sum = queue->receive(queue, queue->ops);
        pthread_mutex_lock(&queue->lock);
        queue->receive = NULL;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

static struct ask_queue *ask_queue_set_up(void)
{
    struct ask_queue *queue = aligned_alloc(LINE_B, sizeof *queue);

    if (!queue)
        _exit(AMP_EXIT_NO_MEMORY);
    memset(queue, 0, sizeof *queue);
    queue->model = amp_object_set_up(sizeof(subject));
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    return queue;
}

static void *ask_start(struct ask_queue *queue)
{
    if (pthread_create(&queue->thread, NULL, ask_thread, queue) != 0)
        _exit(AMP_EXIT_NO_MEMORY);
    return queue;
}

static void *ask_set_up_value(size_t size)
{
    struct ask_queue *queue = ask_queue_set_up();

    (void) size;
    queue->values = amp_object_set_up(PLACES * sizeof(subject));
    return ask_start(queue);
}

static void *ask_set_up_pointer(size_t size)
{
    struct ask_queue *queue = ask_queue_set_up();

    (void) size;
    queue->pointers = amp_alloc(PLACES * sizeof *queue->pointers);
    return ask_start(queue);
}

static void ask_tear_down(void *fixture)
{
    struct ask_queue *queue = fixture;

    pthread_mutex_lock(&queue->lock);
    queue->ends = 1;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    pthread_join(queue->thread, NULL);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue->values);
    free(queue->pointers);
    free(queue->model);
    free(queue);
}

AMP_PAIR(ask_send,
         .question = "What does it cost to send an object to a thread as itself, and what as a pointer that it frees?",
         .value = { run_value, .set_up = ask_set_up_value, .tear_down = ask_tear_down },
         .pointer = { run_pointer, .set_up = ask_set_up_pointer, .tear_down = ask_tear_down, .allocs_per_op = 1,
                      .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SUBJECT_SIZES, .threads = 1);

#endif
