/* SPDX-License-Identifier: MIT
 *
 * The worker: marks while a cycle runs, with its share of the CPUs; then sweeps; then waits. It works for a slice of
 * time and rests for as long as its share demands, unless somebody waits for the end of the cycle. */
#include "harness/gc/state.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#define SLICE_NS 200000
#define AT_ONCE 256 /* objects between two looks at the clock */

static bool mark_slice(struct amp_gc *gc)
{
    struct amp_gc_marker *marker = &gc->worker_marker;
    const uint64_t until_ns = amp_gc_now_ns() + SLICE_NS;
    bool did = false;

    while (amp_gc_mark_some(marker, AT_ONCE)) {
        did = true;
        if (marker->block->n > 64 && AMP_GC_LOAD(&gc->queued) == 0)
            amp_gc_marker_flush(marker); /* for those who assist */
        if (amp_gc_now_ns() >= until_ns)
            break;
    }
    __atomic_add_fetch(&gc->credit, (int64_t) marker->counts.scanned_b, __ATOMIC_RELAXED);
    amp_gc_counts_add(gc, marker);
    return did;
}

static void rest(struct amp_gc *gc, uint64_t ns)
{
    if (ns == 0)
        return;
    pthread_mutex_lock(&gc->lock);
    if (!gc->quit && gc->waiting == 0)
        amp_gc_wait_a_little(gc, &gc->work, ns);
    pthread_mutex_unlock(&gc->lock);
}

static void mark(struct amp_gc *gc)
{
    const uint64_t begin_ns = amp_gc_thread_ns();
    const bool did = mark_slice(gc);
    const uint64_t worked_ns = amp_gc_thread_ns() - begin_ns;

    AMP_GC_ADD(&gc->cycle.worker_ns, worked_ns);
    if (did)
        rest(gc, amp_gc_rest_ns(gc, worked_ns));
    else if (AMP_GC_LOAD(&gc->unscanned) > 0)
        amp_gc_hurry(gc);
    else if (amp_gc_flush_round(gc) && AMP_GC_LOAD(&gc->queued) == 0)
        amp_gc_try_end(gc, NULL);
}

static bool has_work(const struct amp_gc *gc)
{
    return !gc->error && (gc->phase == AMP_GC_MARKING || (gc->phase == AMP_GC_OFF && AMP_GC_LOAD(&gc->unswept) > 0));
}

/* Its thread ends: as it should, or by pthread_exit() in a signal handler. Then it may hold a lock; these are of the
 * kind that nobody but the owner releases. Nobody waits for it any more. */
static void gone(void *arg)
{
    struct amp_gc *gc = arg;

    if (AMP_GC_LOAD(&gc->quit))
        return;
    amp_gc_fail(gc, -EOWNERDEAD, "the worker has ended in the middle of its work");
    pthread_mutex_unlock(&gc->queue_lock);
    pthread_mutex_unlock(&gc->heap_lock);
    pthread_mutex_lock(&gc->lock); /* or it has it */
    if (gc->stop && pthread_equal(gc->stopper, pthread_self()))
        AMP_GC_STORE(&gc->stop, 0);
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        if (m->scanning == &gc->worker_marker)
            m->scanning = NULL;
    pthread_cond_broadcast(&gc->go);
    pthread_cond_broadcast(&gc->done);
    pthread_mutex_unlock(&gc->lock);
}

static void *work(void *arg)
{
    struct amp_gc *gc = arg;

    prctl(PR_SET_NAME, "ampersand-gc");
    prctl(PR_SET_TIMERSLACK, 1000UL); /* its rests are short */
    pthread_cleanup_push(gone, gc);
    pthread_mutex_lock(&gc->lock);
    while (!gc->quit) {
        if (!has_work(gc)) {
            pthread_cond_wait(&gc->work, &gc->lock);
            continue;
        }
        pthread_mutex_unlock(&gc->lock);
        if (AMP_GC_LOAD(&gc->phase) == AMP_GC_MARKING)
            mark(gc);
        else
            amp_gc_sweep_all(gc);
        pthread_mutex_lock(&gc->lock);
    }
    pthread_mutex_unlock(&gc->lock);
    pthread_cleanup_pop(1);
    return NULL;
}

int amp_gc_worker_start(struct amp_gc *gc)
{
    int error;

    error = pthread_create(&gc->worker, NULL, work, gc);
    gc->has_worker = !error;
    return -error;
}

void amp_gc_worker_end(struct amp_gc *gc)
{
    if (!gc->has_worker)
        return;
    pthread_mutex_lock(&gc->lock);
    AMP_GC_STORE(&gc->quit, true);
    pthread_cond_broadcast(&gc->work);
    pthread_mutex_unlock(&gc->lock);
    pthread_join(gc->worker, NULL);
}
