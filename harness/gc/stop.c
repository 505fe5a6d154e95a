/* SPDX-License-Identifier: MIT
 *
 * Stops, and safe points. Whoever stops the others raises the limits of their stacks: the next check of a growable
 * function fails, and its thread comes here. A request may be lost where a thread changes stacks at that moment, so it
 * is made again until all have stopped. */
#include "harness/gc/state.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define AGAIN_NS 100000 /* after which a request is repeated */
#define MOMENT_NS 10000000
/* A thread that sleeps needs some 50 us to wake up; so who waits looks for about as long before. Only for a moment if
 * there are as many mutators as CPUs: it may be on the CPU on which one of them has to run. */
#define SPINS 2000
#define SPINS_CROWDED 100

/* ---- Mutators */

/* A function that is entered, or a poll, changes no errno: who called it may have yet to look at it. */
uint64_t amp_gc_answer_on_host(void *mutator)
{
    struct amp_gc_mutator *m = mutator;
    const int before = errno;

    if (m != amp_gc_present()) /* away, it may call growable functions, too */
        return 0;
    amp_gc_knows(m, m->on ? m->on : amp_stack_current());
    m->on = NULL;
    amp_gc_note_registers(m);
    amp_gc_at_safe_point(m);
    errno = before;
    return 0;
}

void amp_gc_answer(void)
{
    if (!amp_gc_me)
        return;
    amp_gc_me->on = amp_stack_current();
    amp_stack_call(amp_gc_answer_on_host, amp_gc_me);
}

/* Whoever looks at `running` wants the lock next, so between the two nothing takes time. */
static void leave(struct amp_gc_mutator *m, enum amp_gc_state state)
{
    const uint64_t cpu_ns = m->gc->stop ? amp_gc_thread_ns() - m->asked_cpu_ns : 0;

    AMP_GC_STORE(&m->state, state);
    __atomic_store_n(&m->gc->running, m->gc->running - 1, __ATOMIC_RELEASE);
    if (m->gc->running > 0)
        return;
    m->gc->stop_cpu_ns = cpu_ns;
    pthread_cond_broadcast(&m->gc->stopped);
}

static void enter(struct amp_gc_mutator *m)
{
    AMP_GC_STORE(&m->state, AMP_GC_RUNNING);
    __atomic_store_n(&m->gc->running, m->gc->running + 1, __ATOMIC_RELEASE);
}

void amp_gc_away(struct amp_gc_mutator *m)
{
    __atomic_store_n(m->asked, 1, __ATOMIC_RELAXED); /* until it is back, amp_gc_alloc() goes the way that refuses */
    leave(m, AMP_GC_AWAY);
}

void amp_gc_back(struct amp_gc_mutator *m)
{
    while (m->gc->stop || m->scanning)
        pthread_cond_wait(&m->gc->go, &m->gc->lock);
    enter(m);
}

static void spin_while(struct amp_gc *gc, const uint32_t *word, unsigned spins)
{
    pthread_mutex_unlock(&gc->lock);
    for (unsigned i = 0; i < spins && AMP_GC_LOAD(word) > 0; i++)
        AMP_GC_RELAX();
    pthread_mutex_lock(&gc->lock);
}

static void wait_for_go(struct amp_gc_mutator *m)
{
    struct amp_gc *gc = m->gc;

    while (gc->stop) {
        AMP_TRACE_BEGIN("gc: stopped");
        leave(m, AMP_GC_STOPPED);
        if (gc->limits.cpus > 1 && !gc->dozes)
            spin_while(gc, &gc->stop, SPINS);
        while (gc->stop)
            pthread_cond_wait(&gc->go, &gc->lock);
        enter(m);
        AMP_TRACE_END("gc: stopped");
    }
}

static void scan(struct amp_gc_mutator *m)
{
    struct amp_gc *gc = m->gc;

    AMP_TRACE_BEGIN("gc: scan own stack");
    amp_gc_scan_stack(&m->marker, m);
    amp_gc_marker_flush(&m->marker);
    amp_gc_counts_add(gc, &m->marker);
    pthread_mutex_lock(&gc->lock);
    m->scanned = true;
    __atomic_sub_fetch(&gc->unscanned, 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&gc->lock);
    amp_gc_wake(gc);
    AMP_TRACE_END("gc: scan own stack");
}

/* Whether all mutators have passed a safe point in this round; for those that do not run it is done here. */
static bool is_flushed(struct amp_gc *gc)
{
    bool all = true;

    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        if (m->state != AMP_GC_RUNNING)
            amp_gc_marker_flush(&m->marker);
        else if (m->round != gc->round)
            all = false;
    return all;
}

void amp_gc_at_safe_point(struct amp_gc_mutator *m)
{
    struct amp_gc *gc = m->gc;
    bool ends;

    __atomic_store_n(m->asked, 0, __ATOMIC_RELAXED);
    amp_gc_marker_flush(&m->marker);
    pthread_mutex_lock(&gc->lock);
    wait_for_go(m);
    m->round = gc->round;
    ends = gc->offered && is_flushed(gc);
    if (ends) {
        gc->offered = false;
        AMP_GC_STORE(&gc->taken, 1);
    }
    pthread_mutex_unlock(&gc->lock);
    if (m->marking && !m->scanned)
        scan(m);
    if (!ends)
        return;
    if (AMP_GC_LOAD(&gc->queued) == 0)
        amp_gc_try_end(gc, m);
    AMP_GC_STORE(&gc->taken, 0);
    amp_gc_wake(gc);
}

void amp_gc_end(struct amp_gc_mutator *m)
{
    struct amp_gc *gc = m->gc;

    pthread_mutex_lock(&gc->lock);
    if (m->state == AMP_GC_RUNNING)
        wait_for_go(m);
    else
        amp_gc_back(m); /* its thread was ended while it was away */
    if (m->marking)
        amp_gc_shade_word(&m->marker, m->result);
    amp_gc_counts_add(gc, &m->marker);
    amp_gc_marker_flush(&m->marker);
    if (m->marking && !m->scanned)
        __atomic_sub_fetch(&gc->unscanned, 1, __ATOMIC_RELEASE);
    m->scanned = true;
    pthread_mutex_lock(&gc->heap_lock);
    AMP_GC_STORE(&gc->heap_b, gc->heap_b - amp_gc_bins_release(m)); /* the next to hold these slots counts them */
    pthread_mutex_unlock(&gc->heap_lock);
    m->host_base = m->host_sp = 0; /* the next run may be on another thread, when this one's stack is gone */
    memset(m->saved, 0, sizeof m->saved);
    leave(m, AMP_GC_ENDED);
    pthread_mutex_unlock(&gc->lock);
}

uint64_t amp_gc_call(amp_stack_fn *fn, void *arg)
{
    struct amp_gc_outside outside = { fn, arg, amp_stack_current() };

    return amp_stack_call(amp_gc_go_outside, &outside);
}

uint64_t amp_gc_go_outside(void *arg)
{
    const struct amp_gc_outside *outside = arg;
    struct amp_gc_mutator *m = amp_gc_present();
    uint64_t result;

    if (!m)
        return outside->fn(outside->arg);
    amp_gc_knows(m, outside->from);
    amp_gc_note_registers(m);
    pthread_mutex_lock(&m->gc->lock);
    amp_gc_away(m);
    pthread_mutex_unlock(&m->gc->lock);
    result = outside->fn(outside->arg);
    pthread_mutex_lock(&m->gc->lock);
    amp_gc_back(m);
    pthread_mutex_unlock(&m->gc->lock);
    amp_gc_at_safe_point(m);
    AMP_GC_NO_JUMP();
    return result;
}

/* ---- Who stops them */

static void ask(struct amp_gc *gc, const struct amp_gc_mutator *self)
{
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        if (m != self && AMP_GC_LOAD(&m->state) == AMP_GC_RUNNING && m->asked) {
            __atomic_store_n(m->asked, 1, __ATOMIC_RELAXED);
            amp_stack_ask(m->stack, m->limit);
        }
}

void amp_gc_wait_a_little(struct amp_gc *gc, pthread_cond_t *condition, uint64_t ns)
{
    const uint64_t until_ns = amp_gc_now_ns() + ns;
    const struct timespec until = { (time_t) (until_ns / 1000000000), (long) (until_ns % 1000000000) };

    pthread_cond_timedwait(condition, &gc->lock, &until);
}

static void wait_begins(struct amp_gc_wait *wait)
{
    *wait = (struct amp_gc_wait){ .looked_ns = amp_gc_now_ns() };
}

/* While the process stands still, in a debugger, no mutator is late: so what is between two looks counts as a moment at
 * most. */
static bool is_late(const struct amp_gc *gc, struct amp_gc_wait *wait)
{
    const uint64_t now_ns = amp_gc_now_ns(), since_ns = now_ns - wait->looked_ns;

    wait->looked_ns = now_ns;
    wait->waited_ns += since_ns < MOMENT_NS ? since_ns : MOMENT_NS;
    return wait->waited_ns > gc->limits.patience_ms * 1000000ULL;
}

/* Under the lock, which the thread that is late does not need for this: in a stop, or else in a round. */
static void name_who_is_late(struct amp_gc *gc)
{
    struct amp_gc_mutator *m = gc->mutators;
    char where[128] = "";

    while (m && (m->state != AMP_GC_RUNNING || (!gc->stop && m->round == gc->round)))
        m = m->next;
    if (m)
        amp_gc_where(m, where, sizeof where);
    amp_gc_fail(gc, -ETIMEDOUT, "mutator %s has reached no safe point in %u ms; it is in %s", m ? m->name : "?",
                gc->limits.patience_ms, where);
}

static int give_up(struct amp_gc *gc, struct amp_gc_mutator *self)
{
    name_who_is_late(gc);
    AMP_GC_STORE(&gc->stop, 0);
    if (self)
        enter(self);
    pthread_cond_broadcast(&gc->go);
    AMP_TRACE_END("gc: stop");
    return -ETIMEDOUT;
}

/* Under the lock. */
static void note_cpu_times(struct amp_gc *gc)
{
    gc->stop_cpu_ns = 0;
    if (gc->has_worker)
        gc->stop_since_ns = amp_gc_clock_ns(gc->worker_clock);
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        if (m->state == AMP_GC_RUNNING)
            m->asked_cpu_ns = amp_gc_clock_ns(m->cpu_clock);
}

int amp_gc_stop(struct amp_gc *gc, struct amp_gc_mutator *self, uint64_t *asked_ns, uint64_t *stopped_ns)
{
    struct amp_gc_wait wait;
    int error = 0;

    pthread_mutex_lock(&gc->lock);
    while (gc->stop)
        if (self)
            wait_for_go(self);
        else
            pthread_cond_wait(&gc->go, &gc->lock);
    note_cpu_times(gc);
    *asked_ns = amp_gc_now_ns();
    AMP_TRACE_BEGIN("gc: stop");
    AMP_GC_STORE(&gc->stop, 1);
    if (self)
        leave(self, AMP_GC_STOPPED);
    pthread_mutex_unlock(&gc->lock); /* they want it when they come; their list stays as it is while they must stop */
    ask(gc, self);
    wait_begins(&wait);
    pthread_mutex_lock(&gc->lock);
    if (gc->limits.cpus > 1)
        spin_while(gc, &gc->running, gc->running < gc->limits.cpus ? SPINS : SPINS_CROWDED);
    while (!error && gc->running > 0) {
        gc->dozes = true;
        amp_gc_wait_a_little(gc, &gc->stopped, AGAIN_NS);
        gc->dozes = false;
        ask(gc, self);
        if (gc->running > 0 && is_late(gc, &wait))
            error = give_up(gc, self);
    }
    *stopped_ns = amp_gc_now_ns();
    if (gc->has_worker && self)
        gc->stop_cpu_ns += amp_gc_clock_ns(gc->worker_clock) - gc->stop_since_ns;
    gc->stop_since_ns = amp_gc_thread_ns();
    pthread_mutex_unlock(&gc->lock);
    return error;
}

uint64_t amp_gc_go(struct amp_gc *gc, struct amp_gc_mutator *self, uint64_t asked_ns, uint64_t *cpu_ns)
{
    uint64_t go_ns;

    pthread_mutex_lock(&gc->lock);
    if (cpu_ns)
        *cpu_ns = gc->stop_cpu_ns + amp_gc_thread_ns() - gc->stop_since_ns;
    AMP_GC_STORE(&gc->stop, 0);
    if (self)
        enter(self);
    pthread_cond_broadcast(&gc->go);
    go_ns = amp_gc_now_ns();
    AMP_TRACE_END("gc: stop");
    if (go_ns - asked_ns > gc->longest_stop_ns)
        gc->longest_stop_ns = go_ns - asked_ns;
    pthread_mutex_unlock(&gc->lock);
    return go_ns;
}

bool amp_gc_flush_round(struct amp_gc *gc)
{
    const uint32_t seen = AMP_GC_LOAD(&gc->work);
    bool all;

    pthread_mutex_lock(&gc->lock);
    if (!gc->flushing) {
        gc->round++;
        wait_begins(&gc->round_wait);
    }
    all = is_flushed(gc);
    gc->flushing = gc->offered = !all;
    if (!all && is_late(gc, &gc->round_wait))
        name_who_is_late(gc);
    if (!all)
        ask(gc, NULL);
    pthread_mutex_unlock(&gc->lock);
    if (all)
        return true;
    amp_gc_sleep(gc, seen, AGAIN_NS);
    pthread_mutex_lock(&gc->lock);
    gc->flushing = gc->offered; /* else one has ended it */
    gc->offered = false;
    pthread_mutex_unlock(&gc->lock);
    for (uint32_t work = seen; AMP_GC_LOAD(&gc->taken); work = AMP_GC_LOAD(&gc->work))
        amp_gc_sleep(gc, work, AGAIN_NS);
    return false;
}

/* Mutators whose stacks are still grey are coming back, and scan them before they go on. None of these is late, however
 * long the cycle has lasted: it may have begun just now. */
void amp_gc_hurry(struct amp_gc *gc)
{
    const uint32_t seen = AMP_GC_LOAD(&gc->work);

    pthread_mutex_lock(&gc->lock);
    ask(gc, NULL);
    pthread_mutex_unlock(&gc->lock);
    if (AMP_GC_LOAD(&gc->unscanned) > 0)
        amp_gc_sleep(gc, seen, AGAIN_NS);
}
