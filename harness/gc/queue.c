/* SPDX-License-Identifier: MIT
 *
 * The queue of grey objects, in blocks. A thread that marks works on a block of its own; only whole blocks go through
 * the queue. Without memory for a block, the collector fails: an object that was forgotten would be freed. */
#include "harness/gc/state.h"

#include <errno.h>
#include <stdlib.h>

struct amp_gc_block *amp_gc_block_new(struct amp_gc *gc)
{
    struct amp_gc_block *block;
    bool allowed;

    pthread_mutex_lock(&gc->queue_lock);
    block = gc->spare;
    if (block)
        gc->spare = block->next;
    allowed = block || !gc->limits.queue_b || gc->queue_b + sizeof *block <= gc->limits.queue_b;
    if (!block && allowed)
        gc->queue_b += sizeof *block;
    pthread_mutex_unlock(&gc->queue_lock);
    if (!block && allowed)
        block = malloc(sizeof *block);
    if (!block) {
        amp_gc_fail(gc, -ENOMEM, "no memory for the mark queue: %zu B are in it", gc->queue_b);
        return NULL;
    }
    block->n = 0;
    return block;
}

void amp_gc_block_free(struct amp_gc *gc, struct amp_gc_block *block)
{
    pthread_mutex_lock(&gc->queue_lock);
    block->next = gc->spare;
    gc->spare = block;
    pthread_mutex_unlock(&gc->queue_lock);
}

void amp_gc_block_give(struct amp_gc *gc, struct amp_gc_block *block)
{
    pthread_mutex_lock(&gc->queue_lock);
    block->next = gc->queue;
    gc->queue = block;
    __atomic_store_n(&gc->queued, gc->queued + 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&gc->queue_lock);
}

struct amp_gc_block *amp_gc_block_take(struct amp_gc *gc)
{
    struct amp_gc_block *block;

    if (AMP_GC_LOAD(&gc->queued) == 0)
        return NULL;
    pthread_mutex_lock(&gc->queue_lock);
    block = gc->queue;
    if (block) {
        gc->queue = block->next;
        __atomic_store_n(&gc->queued, gc->queued - 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&gc->queue_lock);
    return block;
}

void amp_gc_queue_free(struct amp_gc *gc)
{
    for (struct amp_gc_block **list = &gc->queue; list; list = list == &gc->queue ? &gc->spare : NULL)
        while (*list) {
            struct amp_gc_block *block = *list;

            *list = block->next;
            free(block);
        }
    gc->queued = 0;
}
