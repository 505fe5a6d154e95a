/* SPDX-License-Identifier: MIT
 *
 * The worker: marks while a cycle runs, with its share of the CPUs; then sweeps; then waits. It works for a slice of
 * time and rests for as long as its share demands, unless somebody waits for the end of the cycle.
 *
 * Signals reach it only while it rests and holds nothing: a handler may end its thread. For the same reason it sleeps
 * on a word of memory: a thread that ends within pthread_cond_wait() may be waited for by who signals that
 * condition. */
#include "harness/gc/state.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 200000
#define AT_ONCE 256 /* objects between two looks at the clock */

static bool mark_slice(struct amp_gc *gc)
{
    struct amp_gc_marker *marker = &gc->worker_marker;
    const uint64_t until_ns = amp_gc_now_ns() + SLICE_NS;
    bool did = false;

    AMP_TRACE_BEGIN("gc: mark");
    while (amp_gc_mark_some(marker, AT_ONCE)) {
        did = true;
        if (marker->block->n > 64 && AMP_GC_LOAD(&gc->queued) == 0)
            amp_gc_marker_flush(marker); /* for those who assist */
        if (amp_gc_now_ns() >= until_ns)
            break;
    }
    __atomic_add_fetch(&gc->credit, (int64_t) marker->counts.scanned_b, __ATOMIC_RELAXED);
    amp_gc_counts_add(gc, marker);
    AMP_TRACE_END("gc: mark");
    return did;
}

/* ---- Sleep */

void amp_gc_wake(struct amp_gc *gc)
{
    __atomic_add_fetch(&gc->work, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &gc->work, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void amp_gc_sleep(struct amp_gc *gc, uint32_t seen, uint64_t ns)
{
    const struct timespec most = { (time_t) (ns / 1000000000), (long) (ns % 1000000000) };

    syscall(SYS_futex, &gc->work, FUTEX_WAIT_PRIVATE, seen, ns == UINT64_MAX ? NULL : &most, NULL, 0);
}

static void sleep_open(struct amp_gc *gc, uint32_t seen, uint64_t ns)
{
    pthread_sigmask(SIG_SETMASK, &gc->signals, NULL);
    amp_gc_sleep(gc, seen, ns);
    pthread_sigmask(SIG_BLOCK, &gc->blocked, NULL);
}

/* Those that are sent. What its own instructions raise, and who samples its CPU time, is not held up. */
static void block_signals(struct amp_gc *gc)
{
    static const int open[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF };

    sigfillset(&gc->blocked);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        sigdelset(&gc->blocked, open[i]);
    pthread_sigmask(SIG_BLOCK, &gc->blocked, &gc->signals);
}

static void rest(struct amp_gc *gc, uint64_t ns)
{
    const uint32_t seen = AMP_GC_LOAD(&gc->work);

    sleep_open(gc, seen, AMP_GC_LOAD(&gc->quit) || AMP_GC_LOAD(&gc->waiting) ? 0 : ns);
}

static void mark(struct amp_gc *gc)
{
    const uint64_t begin_ns = amp_gc_thread_ns();
    const bool did = mark_slice(gc);
    const uint64_t worked_ns = amp_gc_thread_ns() - begin_ns;

    AMP_GC_ADD(&gc->cycle.worker_ns, worked_ns);
    if (!did && AMP_GC_LOAD(&gc->unscanned) > 0)
        amp_gc_hurry(gc);
    else if (!did && amp_gc_flush_round(gc) && AMP_GC_LOAD(&gc->queued) == 0)
        amp_gc_try_end(gc, NULL);
    rest(gc, did ? amp_gc_rest_ns(gc, worked_ns) : 0);
}

static void sweep(struct amp_gc *gc)
{
    const uint64_t ended = AMP_GC_LOAD(&gc->ended);

    amp_gc_sweep_all(gc);
    amp_gc_pages_prepare(gc);
    gc->prepared = ended;
}

static bool has_work(const struct amp_gc *gc)
{
    const enum amp_gc_phase phase = AMP_GC_LOAD(&gc->phase);

    return !AMP_GC_LOAD(&gc->error) &&
           (phase == AMP_GC_MARKING ||
            (phase == AMP_GC_OFF && (AMP_GC_LOAD(&gc->unswept) > 0 || AMP_GC_LOAD(&gc->ended) != gc->prepared)));
}

/* Its thread ends: as it should, or by pthread_exit() in a signal handler, while it rested. Nobody waits for it any
 * more. */
static void gone(void *arg)
{
    struct amp_gc *gc = arg;

    if (AMP_GC_LOAD(&gc->quit))
        return;
    amp_gc_fail(gc, -EOWNERDEAD, "the worker has ended in the middle of its work");
    pthread_mutex_lock(&gc->lock);
    pthread_cond_broadcast(&gc->done);
    pthread_mutex_unlock(&gc->lock);
}

static void *work(void *arg)
{
    struct amp_gc *gc = arg;

    prctl(PR_SET_TIMERSLACK, 1000UL); /* its rests are short */
    pthread_cleanup_push(gone, gc);
    pthread_setname_np(pthread_self(), "ampersand-gc");
    /* `work` is read before anything that it announces: what comes in between must not find the worker asleep */
    for (uint32_t seen; seen = AMP_GC_LOAD(&gc->work), !AMP_GC_LOAD(&gc->quit);)
        if (!has_work(gc))
            sleep_open(gc, seen, UINT64_MAX);
        else if (AMP_GC_LOAD(&gc->phase) == AMP_GC_MARKING)
            mark(gc);
        else
            sweep(gc);
    pthread_cleanup_pop(1);
    return NULL;
}

int amp_gc_worker_start(struct amp_gc *gc)
{
    int error;

    block_signals(gc); /* for the thread, which begins with them blocked */
    error = pthread_create(&gc->worker, NULL, work, gc);
    pthread_sigmask(SIG_SETMASK, &gc->signals, NULL);
    gc->has_worker = !error;
    if (gc->has_worker)
        pthread_getcpuclockid(gc->worker, &gc->worker_clock);
    return -error;
}

void amp_gc_worker_end(struct amp_gc *gc)
{
    if (!gc->has_worker)
        return;
    AMP_GC_STORE(&gc->quit, true);
    amp_gc_wake(gc);
    pthread_join(gc->worker, NULL);
}
