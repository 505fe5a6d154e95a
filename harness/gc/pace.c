/* SPDX-License-Identifier: MIT
 *
 * Pacing, after Go's: how far the heap may grow, when marking has to begin for that, and how much a mutator must help.
 *
 *   goal      live + (live + roots) * GOGC / 100
 *   runway    what mutators allocate while the worker, with its share of the CPUs, scans as much as the last cycle did
 *   trigger   goal - runway
 *
 *   heap                 goal ............./|........      The worker has a quarter of the CPUs. What the estimate gets
 *                     trigger ........../#|               wrong, assists put right: whoever allocates while marking
 *                                     /   |/              scans so much that the work is done when the heap has reached
 *                        live ......./....|...            its goal. Beyond the goal, it waits.
 *
 * `live` is what could be reached when marking began. What was allocated since is marked, too, but may be dead: Go
 * counts it, and so grows with the rate of allocation; here only the next cycle's marking decides about it. */
#include "harness/gc/state.h"

#include <time.h>

#define SHARE 0.25
#define LEAST 0.3 /* of the way from the heap after marking to the goal: no trigger is lower, */
#define MOST 0.95 /* and none higher */
#define MINIMUM_B ((size_t) 4 << 20)
#define SLACK_B ((size_t) 256 << 10)

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

uint64_t amp_gc_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t amp_gc_thread_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t amp_gc_process_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- At the end of marking */

/* CPUs for the worker, which is one thread. */
static double worker_cpus(const struct amp_gc *gc)
{
    return SHARE * gc->limits.cpus < 1 ? SHARE * gc->limits.cpus : 1;
}

/* Bytes that a CPU of mutators allocates while a CPU of marking scans one. */
static double measure(struct amp_gc *gc)
{
    const struct amp_gc_cycle *c = &gc->cycle;
    const double marking_ns = (double) (c->worker_ns + c->assist_ns);
    const double mutators_ns = (double) c->process_ns - marking_ns;
    double sum = 0;
    unsigned n = 0;

    if (marking_ns > 0 && mutators_ns > 0 && c->scanned_b > 0)
        gc->ratios[c->number % 4] =
            (double) (c->heap_end_b - c->heap_begin_b) / mutators_ns * marking_ns / (double) c->scanned_b;
    for (unsigned i = 0; i < 4; i++) {
        sum += gc->ratios[i];
        n += gc->ratios[i] > 0;
    }
    return n > 0 ? sum / n : 0;
}

static double mutator_cpus(const struct amp_gc *gc)
{
    const double left = gc->limits.cpus - worker_cpus(gc);
    double n = 0;

    for (const struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        n += m->state != AMP_GC_ENDED;
    return n < left ? n : left;
}

static size_t goal_of(const struct amp_gc *gc, struct amp_gc_pace *pace)
{
    const size_t minimum_b = (gc->limits.minimum_b ? gc->limits.minimum_b : MINIMUM_B) / 100 * (size_t) pace->gogc;
    const double more_b = (double) (pace->live_b + pace->roots_b) * pace->gogc / 100;
    size_t goal_b = pace->live_b + (size_t) more_b;

    if (goal_b < minimum_b)
        goal_b = minimum_b;
    pace->limited = gc->limits.heap_b && goal_b > gc->limits.heap_b - gc->limits.heap_b / 16;
    if (pace->limited)
        goal_b = gc->limits.heap_b - gc->limits.heap_b / 16; /* spans are never quite full */
    return goal_b > gc->heap_b + SLACK_B ? goal_b : gc->heap_b + SLACK_B;
}

void amp_gc_pace_next(struct amp_gc *gc)
{
    struct amp_gc_pace *pace = &gc->pace;
    double room_b, runway_b, low_b, high_b;

    pace->cycle = gc->cycles + 1;
    pace->gogc = AMP_GC_LOAD(&gc->limits.gogc);
    pace->live_b = gc->counts.bytes - gc->counts.born_b;
    pace->roots_b = gc->counts.stacks_b + gc->counts.roots_b;
    pace->goal_b = goal_of(gc, pace);
    pace->cpus = gc->limits.cpus;
    pace->share = worker_cpus(gc) / gc->limits.cpus;
    pace->work_b = gc->counts.scanned_b;
    pace->allocated_per_work = measure(gc) * mutator_cpus(gc) / worker_cpus(gc);
    room_b = (double) (pace->goal_b - gc->heap_b);
    runway_b = pace->allocated_per_work * (double) pace->work_b;
    low_b = LEAST * room_b;
    high_b = MOST * room_b;
    pace->runway_b = (size_t) runway_b;
    pace->trigger_b = gc->heap_b + (size_t) (room_b - runway_b < low_b    ? low_b
                                             : room_b - runway_b > high_b ? high_b
                                                                          : room_b - runway_b);
    pace->assist_ratio = (double) pace->work_b / (double) (pace->goal_b - pace->trigger_b);
}

/* ---- While marking */

uint64_t amp_gc_rest_ns(const struct amp_gc *gc, uint64_t worked_ns)
{
    const double cpus = worker_cpus(gc);

    return AMP_GC_LOAD(&gc->waiting) ? 0 : (uint64_t) ((double) worked_ns * (1 / cpus - 1));
}

/* Bytes to scan before so many are allocated: what is left to scan, over what is left to allocate. */
static double owed(struct amp_gc *gc, size_t bytes)
{
    const size_t heap_b = AMP_GC_LOAD(&gc->heap_b), scanned_b = AMP_GC_LOAD(&gc->counts.scanned_b);
    const size_t goal_b = gc->pace.goal_b, begin_b = gc->cycle.heap_begin_b;
    const size_t work_b = gc->pace.work_b > scanned_b ? gc->pace.work_b : begin_b; /* else at most all of the heap */
    const double left_b = work_b > scanned_b ? (double) (work_b - scanned_b) : (double) begin_b / 16;
    const double room_b = goal_b > heap_b + bytes ? (double) (goal_b - heap_b) : (double) bytes;

    return left_b * (double) bytes / room_b;
}

/* What the worker has scanned ahead pays for a mutator's debt first. */
static void use_credit(struct amp_gc *gc, struct amp_gc_mutator *m)
{
    const int64_t credit = __atomic_load_n(&gc->credit, __ATOMIC_RELAXED);
    const int64_t want = (int64_t) m->debt;

    if (credit <= 0 || want <= 0)
        return;
    __atomic_sub_fetch(&gc->credit, credit < want ? credit : want, __ATOMIC_RELAXED);
    m->debt -= (double) (credit < want ? credit : want);
}

static void help(struct amp_gc *gc, struct amp_gc_mutator *m)
{
    const uint64_t begin_ns = amp_gc_thread_ns(), begin_b = m->marker.counts.scanned_b;

    while ((double) (m->marker.counts.scanned_b - begin_b) < m->debt && amp_gc_mark_some(&m->marker, 64))
        ;
    m->debt -= (double) (m->marker.counts.scanned_b - begin_b);
    amp_gc_marker_flush(&m->marker);
    amp_gc_counts_add(gc, &m->marker);
    AMP_GC_ADD(&gc->cycle.assist_ns, amp_gc_thread_ns() - begin_ns);
}

void amp_gc_assist(struct amp_gc_mutator *m, size_t bytes)
{
    struct amp_gc *gc = m->gc;

    amp_gc_marker_flush(&m->marker); /* what its barrier found, for the worker */
    amp_gc_counts_add(gc, &m->marker);
    m->debt += owed(gc, bytes);
    use_credit(gc, m);
    if (m->debt > 0)
        help(gc, m);
    if (AMP_GC_LOAD(&gc->heap_b) + bytes <= gc->pace.goal_b || gc->limits.modes & AMP_GC_STEP)
        return;
    m->waits_since_ns = amp_gc_now_ns();
    amp_gc_wait_done(gc, m, AMP_GC_LOAD(&gc->ended) + 1);
    m->waits_since_ns = 0;
}
