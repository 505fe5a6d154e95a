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
 *                      the sender, and the two members that the receiver reads.
 * Different:           how many bytes move from core to core, and who must free the object.
 *
 * The kernel is the sender; its time includes the way of the last object. Both threads spin while they wait. */
#include "harness/kernel.h"
#include "harness/subjects.h"
#include "harness/threads.h"

#ifdef AMP_SUBJECT

#define PLACES 64

struct ask_queue {
    struct amp_helper receiver;
    subject *model;
    subject *values;    /* PLACES of them, or NULL */
    subject **pointers; /* or these */
    _Alignas(AMP_LINE_B) atomic_uint_fast64_t sent; /* each thread writes one line and reads the other's */
    _Alignas(AMP_LINE_B) atomic_uint_fast64_t received;
    _Alignas(AMP_LINE_B) uint64_t ops; /* of this run, the receiver's orders */
    uint64_t sum;                      /* and its answer */
};

static AMP_ALWAYS_INLINE void ask_wait_for(atomic_uint_fast64_t *count, uint64_t least)
{
    unsigned spins = 0;

    while (atomic_load_explicit(count, memory_order_acquire) < least)
        amp_wait_a_little(&spins);
}

static AMP_NOINLINE void ask_receive_value(void *memory)
{
    struct ask_queue *queue = memory;
    uint64_t sum = 0, at = atomic_load_explicit(&queue->received, memory_order_relaxed);

    for (uint64_t i = queue->ops; i > 0; i--, at++) {
        subject object;

        ask_wait_for(&queue->sent, at + 1);
        object = queue->values[at % PLACES];
        amp_keep(&object);
        atomic_store_explicit(&queue->received, at + 1, memory_order_release);
        sum += amp_ends(&object);
    }
    queue->sum = sum;
}

static AMP_NOINLINE void ask_receive_pointer(void *memory)
{
    struct ask_queue *queue = memory;
    uint64_t sum = 0, at = atomic_load_explicit(&queue->received, memory_order_relaxed);

    for (uint64_t i = queue->ops; i > 0; i--, at++) {
        subject *object;

        ask_wait_for(&queue->sent, at + 1);
        object = queue->pointers[at % PLACES];
        atomic_store_explicit(&queue->received, at + 1, memory_order_release);
        sum += amp_ends(object);
        free(object);
    }
    queue->sum = sum;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct ask_queue *queue = fixture;
    const subject *model = amp_object(queue->model);
    uint64_t at = atomic_load_explicit(&queue->sent, memory_order_relaxed);

    queue->ops = ops;
    amp_helper_give(&queue->receiver, ask_receive_value, queue);
    for (uint64_t i = ops; i > 0; i--, at++) {
        if (at >= PLACES)
            ask_wait_for(&queue->received, at + 1 - PLACES);
        amp_keep(model); /* the compiler must believe that the model may have changed */
        queue->values[at % PLACES] = *model;
        atomic_store_explicit(&queue->sent, at + 1, memory_order_release);
    }
    amp_helper_wait(&queue->receiver);
    return queue->sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct ask_queue *queue = fixture;
    const subject *model = amp_object(queue->model);
    uint64_t at = atomic_load_explicit(&queue->sent, memory_order_relaxed);

    queue->ops = ops;
    amp_helper_give(&queue->receiver, ask_receive_pointer, queue);
    for (uint64_t i = ops; i > 0; i--, at++) {
        subject *object = amp_alloc(sizeof *object);

        amp_keep(model);
        *object = *model;
        if (at >= PLACES)
            ask_wait_for(&queue->received, at + 1 - PLACES);
        queue->pointers[at % PLACES] = object;
        atomic_store_explicit(&queue->sent, at + 1, memory_order_release);
    }
    amp_helper_wait(&queue->receiver);
    return queue->sum;
}

/* The receiver gets no work before both sides have their queues: with the first, it and its starter are pinned. */
static struct ask_queue *ask_queue_set_up(void)
{
    struct ask_queue *queue = amp_alloc_lines(sizeof *queue);

    memset(queue, 0, sizeof *queue);
    queue->model = amp_object_set_up(sizeof(subject));
    amp_helper_start(&queue->receiver);
    return queue;
}

static void *ask_set_up_value(size_t size)
{
    struct ask_queue *queue = ask_queue_set_up();

    (void) size;
    queue->values = amp_object_set_up(PLACES * sizeof(subject));
    return queue;
}

static void *ask_set_up_pointer(size_t size)
{
    struct ask_queue *queue = ask_queue_set_up();

    (void) size;
    queue->pointers = amp_alloc(PLACES * sizeof *queue->pointers);
    return queue;
}

static void ask_tear_down(void *fixture)
{
    struct ask_queue *queue = fixture;

    amp_helper_end(&queue->receiver);
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
