/* SPDX-License-Identifier: MIT
 *
 * A cycle, from the first stop to the end of the second.
 *
 *   off -> beginning: sweep what is left, first stop -> marking -> ending: second stop -> off
 *                                                          ^          | something was still grey
 *                                                          `----------'
 *
 * Any thread may begin one; marking is ended by the worker, or with STEP by the mutator. */
#include "harness/gc/state.h"

#include <errno.h>

#define LOOK_AGAIN_NS 20000000 /* a failure wakes nobody */
#define LAG 8 /* a part of the work that the worker may be behind before mutators help: it rests between its slices */
/* What the second stop may scan, some 10 us; with more, marking goes on: objects, and bytes, but for the last piece */
#define IN_STOP 64
#define IN_STOP_B 65536

static bool change(struct amp_gc *gc, enum amp_gc_phase from, enum amp_gc_phase to)
{
    bool changed;

    pthread_mutex_lock(&gc->lock);
    changed = gc->phase == from && !gc->error;
    if (changed)
        AMP_GC_STORE(&gc->phase, to);
    pthread_mutex_unlock(&gc->lock);
    return changed;
}

/* Wake who waits for another phase, or works in it. */
static void announce(struct amp_gc *gc)
{
    pthread_mutex_lock(&gc->lock);
    pthread_cond_broadcast(&gc->done);
    pthread_mutex_unlock(&gc->lock);
    amp_gc_wake(gc);
}

static void set_phase(struct amp_gc *gc, enum amp_gc_phase phase)
{
    pthread_mutex_lock(&gc->lock);
    AMP_GC_STORE(&gc->phase, phase);
    pthread_mutex_unlock(&gc->lock);
    announce(gc);
}

/* ---- The first stop */

static void turn_on(struct amp_gc *gc, const char *why, uint64_t asked_ns, uint64_t stopped_ns)
{
    AMP_TRACE("gc: cycle begins");
    AMP_TRACE_COUNT("gc: heap, bytes", gc->heap_b);
    AMP_TRACE_COUNT("gc: goal, bytes", gc->pace.goal_b);
    gc->cycles++;
    gc->counts = (struct amp_gc_counts){ 0 };
    gc->credit = (int64_t) (gc->pace.work_b / LAG);
    gc->roots_taken = gc->roots_done = false;
    gc->unscanned = 0;
    gc->cycle = (struct amp_gc_cycle){
        .number = gc->cycles,
        .why = why,
        .stop1_ns = asked_ns,
        .stopped1_ns = stopped_ns,
        .sweep_ns = __atomic_exchange_n(&gc->sweep_ns, 0, __ATOMIC_RELAXED),
        .heap_begin_b = gc->heap_b,
        .goal_b = gc->pace.goal_b,
        .trigger_b = gc->pace.trigger_b,
        .process_ns = amp_gc_process_ns(),
    };
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next) {
        m->marking = true;
        m->scanned = m->state == AMP_GC_ENDED;
        gc->unscanned += !m->scanned;
        if (m->scanned)
            amp_gc_shade_word(&gc->worker_marker, m->result);
        m->debt = 0;
    }
    AMP_GC_STORE(&gc->on, true);
    __atomic_add_fetch(&amp_gc_barrier, 1, __ATOMIC_SEQ_CST);
}

bool amp_gc_begin(struct amp_gc *gc, struct amp_gc_mutator *self, const char *why)
{
    uint64_t asked_ns, stopped_ns;

    if (!change(gc, AMP_GC_OFF, AMP_GC_BEGINNING))
        return false;
    amp_gc_sweep_all(gc);
    if (amp_gc_stop(gc, self, &asked_ns, &stopped_ns)) {
        set_phase(gc, AMP_GC_OFF);
        return false;
    }
    turn_on(gc, why, asked_ns, stopped_ns);
    gc->cycle.go1_ns = amp_gc_go(gc, self, asked_ns, &gc->cycle.stop1_cpu_ns);
    set_phase(gc, AMP_GC_MARKING); /* wakes the worker */
    if (self)
        amp_gc_at_safe_point(self);
    return true;
}

/* ---- Marking */

bool amp_gc_mark_some(struct amp_gc_marker *marker, uint64_t objects)
{
    const bool did = amp_gc_drain(marker, objects) > 0;

    return did || amp_gc_scan_roots(marker) || amp_gc_scan_away(marker);
}

/* ---- The second stop */

static void collect_grey(struct amp_gc *gc)
{
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        amp_gc_marker_flush(&m->marker);
}

static void turn_off(struct amp_gc *gc)
{
    AMP_GC_STORE(&gc->on, false);
    __atomic_sub_fetch(&amp_gc_barrier, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&gc->heap_lock);
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next) {
        m->marking = false;
        gc->cycle.waited_ns += m->waits_since_ns ? amp_gc_now_ns() - m->waits_since_ns : 0;
        m->waits_since_ns = 0;
        amp_gc_counts_add(gc, &m->marker);
        amp_gc_bins_release(m);
    }
    pthread_mutex_unlock(&gc->heap_lock);
    amp_gc_counts_add(gc, &gc->worker_marker);
}

static void conclude(struct amp_gc *gc)
{
    struct amp_gc_cycle *cycle = &gc->cycle;

    cycle->heap_end_b = gc->heap_b;
    cycle->live_b = gc->counts.bytes;
    cycle->born_b = gc->counts.born_b;
    cycle->objects = gc->counts.objects;
    cycle->scanned_b = gc->counts.scanned_b;
    cycle->stacks_b = gc->counts.stacks_b;
    cycle->roots_b = gc->counts.roots_b;
    cycle->span_b = gc->span_b;
    cycle->process_ns = amp_gc_process_ns() - cycle->process_ns;
    pthread_mutex_lock(&gc->lock); /* amp_gc_stats() may be called by who is away */
    pthread_mutex_lock(&gc->heap_lock);
    gc->live_b = gc->heap_b = gc->counts.bytes;
    amp_gc_pace_next(gc);
    pthread_mutex_unlock(&gc->heap_lock);
    pthread_mutex_unlock(&gc->lock);
    amp_gc_unsweep(gc);
}

static const struct amp_gc_trace *watching;

void amp_gc_watch(const struct amp_gc_trace *watcher)
{
    AMP_GC_STORE(&watching, watcher);
}

static void tell_one(const struct amp_gc_trace *trace, const struct amp_gc_cycle *cycle, const struct amp_gc_pace *pace)
{
    if (trace && trace->cycle)
        trace->cycle(trace->arg, cycle);
    if (trace && trace->pace)
        trace->pace(trace->arg, pace);
}

static void tell(struct amp_gc *gc, const struct amp_gc_cycle *cycle, const struct amp_gc_pace *pace)
{
    AMP_GC_ADD(&gc->gc_ns, cycle->worker_ns + cycle->assist_ns + cycle->sweep_ns + cycle->stopped_ns);
    AMP_GC_ADD(&gc->assist_ns, cycle->assist_ns);
    AMP_TRACE("gc: cycle ends");
    AMP_TRACE_COUNT("gc: heap, bytes", cycle->live_b);
    AMP_TRACE_COUNT("gc: live, bytes", cycle->live_b - cycle->born_b);
    tell_one(&gc->limits.trace, cycle, pace);
    tell_one(AMP_GC_LOAD(&watching), cycle, pace);
}

/* All mutators are stopped. */
static bool is_marked(struct amp_gc *gc)
{
    struct amp_gc_marker *marker = &gc->worker_marker;
    const uint64_t before_b = marker->counts.scanned_b;

    collect_grey(gc);
    for (unsigned i = 0; i < IN_STOP && marker->counts.scanned_b - before_b < IN_STOP_B && amp_gc_drain(marker, 1) > 0;)
        i++;
    return gc->worker_marker.block->n == 0 && gc->queue == NULL && gc->unscanned == 0 && gc->roots_done;
}

static void count_stop(const struct amp_gc *gc, struct amp_gc_cycle *cycle, uint64_t from_ns, uint64_t to_ns)
{
    cycle->stopped_ns += (to_ns - from_ns) * gc->limits.cpus;
    if (to_ns - from_ns > cycle->longest_stop_ns)
        cycle->longest_stop_ns = to_ns - from_ns;
}

/* The cycle has ended before mutators go on, so that one that is fast may begin the next. The worker, which has to
 * sweep then, is woken only behind the stop: else it might take the CPU of who makes the stop, and sweep while all stand
 * still. */
static void end(struct amp_gc *gc, struct amp_gc_mutator *self, uint64_t asked_ns, uint64_t stopped_ns)
{
    struct amp_gc_cycle cycle;
    struct amp_gc_pace pace;

    if (gc->limits.modes & AMP_GC_VERIFY)
        amp_gc_verify_marks(gc);
    turn_off(gc);
    conclude(gc);
    cycle = gc->cycle;
    pace = gc->pace;
    pthread_mutex_lock(&gc->lock);
    gc->whole = false;
    AMP_GC_STORE(&gc->ended, gc->ended + 1);
    AMP_GC_STORE(&gc->phase, AMP_GC_OFF);
    pthread_mutex_unlock(&gc->lock);
    cycle.stop2_ns = asked_ns;
    cycle.stopped2_ns = stopped_ns;
    cycle.go2_ns = amp_gc_go(gc, self, asked_ns, &cycle.stop2_cpu_ns);
    announce(gc);
    count_stop(gc, &cycle, cycle.stop1_ns, cycle.go1_ns);
    count_stop(gc, &cycle, asked_ns, cycle.go2_ns);
    tell(gc, &cycle, &pace);
}

bool amp_gc_try_end(struct amp_gc *gc, struct amp_gc_mutator *self)
{
    uint64_t asked_ns, stopped_ns;
    bool marked;

    if (AMP_GC_LOAD(&gc->unscanned) > 0 || !AMP_GC_LOAD(&gc->roots_done) ||
        !change(gc, AMP_GC_MARKING, AMP_GC_ENDING))
        return false;
    if (amp_gc_stop(gc, self, &asked_ns, &stopped_ns)) {
        set_phase(gc, AMP_GC_MARKING);
        return false;
    }
    marked = is_marked(gc) && !gc->error;
    gc->cycle.stops++;
    if (marked) {
        end(gc, self, asked_ns, stopped_ns);
    } else {
        count_stop(gc, &gc->cycle, asked_ns, amp_gc_go(gc, self, asked_ns, NULL));
        set_phase(gc, AMP_GC_MARKING);
    }
    return marked;
}

/* ---- Waiting */

void amp_gc_wait_done(struct amp_gc *gc, struct amp_gc_mutator *self, uint64_t ended)
{
    pthread_mutex_lock(&gc->lock);
    if (self)
        amp_gc_away(self);
    AMP_GC_STORE(&gc->waiting, gc->waiting + 1);
    amp_gc_wake(gc);
    while (gc->ended < ended && gc->phase != AMP_GC_OFF && !AMP_GC_LOAD(&gc->error))
        amp_gc_wait_a_little(gc, &gc->done, LOOK_AGAIN_NS);
    AMP_GC_STORE(&gc->waiting, gc->waiting - 1);
    if (self)
        amp_gc_back(self);
    pthread_mutex_unlock(&gc->lock);
    if (self)
        amp_gc_at_safe_point(self);
}

/* With STEP: to the end. */
static void mark_alone(struct amp_gc *gc, struct amp_gc_mutator *self)
{
    while (AMP_GC_LOAD(&gc->phase) == AMP_GC_MARKING && !AMP_GC_LOAD(&gc->error))
        if (!amp_gc_mark_some(&gc->worker_marker, UINT64_MAX) && AMP_GC_LOAD(&gc->unscanned) > 0)
            amp_gc_hurry(gc);
        else
            amp_gc_try_end(gc, self);
}

int amp_gc_cycle_whole(struct amp_gc *gc, struct amp_gc_mutator *self)
{
    uint64_t target;

    pthread_mutex_lock(&gc->lock);
    target = gc->ended + (gc->phase == AMP_GC_OFF ? 1 : 2);
    pthread_mutex_unlock(&gc->lock);
    while (AMP_GC_LOAD(&gc->ended) < target && !AMP_GC_LOAD(&gc->error)) {
        if (AMP_GC_LOAD(&gc->phase) == AMP_GC_OFF && amp_gc_begin(gc, self, "collect") &&
            gc->limits.modes & AMP_GC_STEP)
            gc->whole = true;
        if (gc->limits.modes & AMP_GC_STEP)
            mark_alone(gc, self);
        else
            amp_gc_wait_done(gc, self, target);
    }
    if (!AMP_GC_LOAD(&gc->error))
        amp_gc_sweep_all(gc);
    return AMP_GC_LOAD(&gc->error);
}
