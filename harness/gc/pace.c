/* SPDX-License-Identifier: MIT
 *
 * Pacing, after Go's: how far the heap may grow, when marking has to begin for that, and how much a mutator must help.
 *
 *   goal      live + (live + roots) * GOGC / 100
 *   runway    what mutators allocate while the worker, with its share of the CPUs, scans as much as the last cycle did;
 *             less if cycles would then take more than that share of the CPUs' time
 *   trigger   goal - runway
 *
 *   heap                 goal ............./|........      The worker has a quarter of the CPUs. What the estimate gets
 *                     trigger ........../#|               wrong, assists put right: whoever allocates while marking
 *                                     /   |/              scans so much that the work is done when the heap has reached
 *                        live ......./....|...            its goal, but lets the worker be somewhat behind. Beyond the
 *                                                         goal, it waits.
 *
 * `live` is what could be reached when marking began. What was allocated since is marked, too, but may be dead: Go
 * counts it, and so grows with the rate of allocation; here only the next cycle's marking decides about it. Until then
 * it takes its room from the heap: with a long runway cycles follow each other faster. So a program that allocates
 * fast gets a short one, and helps to mark instead. */
#include "harness/gc/state.h"

#include <time.h>

#define SHARE 0.25
#define AFFORDED 0.23 /* of all CPUs' time, for marking: stops and estimates that are wrong come on top */
#define LEAST 0.1 /* of the way from the heap after marking to the goal: no trigger is lower, */
#define MOST 0.95 /* and none higher */
#define KEPT 0.75 /* of what is known from older cycles */
#define MINIMUM_B ((size_t) 4 << 20)
#define SLACK_B ((size_t) 256 << 10)
#define AT_ONCE 32 /* objects that an assist scans between two looks at whether it must stop */

uint64_t amp_gc_clock_ns(clockid_t clock)
{
    struct timespec t = { 0, 0 }; /* of a thread that has ended: 0 */

    clock_gettime(clock, &t);
    return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

uint64_t amp_gc_now_ns(void)
{
    return amp_gc_clock_ns(CLOCK_MONOTONIC);
}

uint64_t amp_gc_thread_ns(void)
{
    return amp_gc_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t amp_gc_process_ns(void)
{
    return amp_gc_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- At the end of marking */

/* CPUs for the worker, which is one thread. */
static double worker_cpus(const struct amp_gc *gc)
{
    return SHARE * gc->limits.cpus < 1 ? SHARE * gc->limits.cpus : 1;
}

static void add(double *sum, double more)
{
    *sum = KEPT * *sum + more;
}

/* What this cycle was like: a part of what the ones before were. */
static void measure(struct amp_gc *gc)
{
    const struct amp_gc_cycle *c = &gc->cycle;
    struct amp_gc_rates *rates = &gc->rates;
    const uint64_t now_ns = amp_gc_process_ns();
    const double worker_ns = (double) c->worker_ns, assist_ns = (double) c->assist_ns;
    const double mutators_ns = (double) (now_ns - gc->paced_ns) - worker_ns - assist_ns;
    const double beside_ns = (double) c->process_ns - worker_ns - assist_ns;

    if (c->scanned_b > 0 && mutators_ns > 0 && c->heap_end_b > gc->paced_b) {
        add(&rates->allocated_b, (double) (c->heap_end_b - gc->paced_b));
        add(&rates->mutators_ns, mutators_ns);
        add(&rates->marking_ns, worker_ns + assist_ns);
        add(&rates->scanned_b, (double) c->scanned_b);
    }
    if (c->scanned_b > 0 && beside_ns > 0 && c->waited_ns == 0) {
        add(&rates->beside_b, (double) (c->heap_end_b - c->heap_begin_b));
        add(&rates->beside_ns, beside_ns);
        add(&rates->worker_ns, worker_ns);
        add(&rates->assist_ns, assist_ns);
        add(&rates->beside_scanned_b, (double) c->scanned_b);
    }
    gc->paced_ns = now_ns;
    gc->paced_b = gc->heap_b;
}

/* Bytes that a CPU of mutators allocates while a CPU of marking scans one. */
static double allocated_per_work(const struct amp_gc_rates *r)
{
    return r->scanned_b > 0 ? r->allocated_b / r->mutators_ns * r->marking_ns / r->scanned_b : 0;
}

/* Bytes that mutators allocate while the worker scans one, if they do not help: about `want`, if nothing else runs;
 * less, as what is marked takes caches from them. Of cycles in which nobody waited for the worker, which does not rest
 * then. Mutators also help where the worker is late by chance, and then marking ends before the goal: so only half of
 * what they would have allocated instead is added. */
static double allocated_beside(const struct amp_gc_rates *r, double want)
{
    double ratio = want;

    if (r->worker_ns > 0)
        ratio = r->beside_b / r->beside_scanned_b / 2 *
                (1 + (1 + r->assist_ns / r->beside_ns) * (1 + r->assist_ns / r->worker_ns));
    return ratio < want / 4 ? want / 4 : ratio > want * 4 ? want * 4 : ratio;
}

/* Of so many that there are. */
static double mutator_cpus(const struct amp_gc *gc, double cpus)
{
    double n = 0;

    for (const struct amp_gc_mutator *m = gc->mutators; m; m = m->next)
        n += m->state != AMP_GC_ENDED;
    return n < 1 ? 1 : n < cpus ? n : cpus;
}

/* The runway. Everything as a part of `growth_b`, what the heap may grow by; `work`: what a CPU of mutators allocates
 * while a CPU marks all.
 *
 *   a cycle allocates          1 - runway      since what is born while marking is still there in the next
 *   and takes                  (runway + work) / (beside + worker) + (1 - 2 runway) / alone      of time
 *
 * where `alone` and `beside` are the mutators' CPUs without and with the worker. `work` is at most AFFORDED of that if
 * the runway is at most `affordable`. */
static double runway_of(struct amp_gc *gc, double growth_b)
{
    struct amp_gc_pace *pace = &gc->pace;
    const double scans = (double) pace->work_b / growth_b, work = pace->allocated_per_work * scans;
    const double worker = worker_cpus(gc), alone = mutator_cpus(gc, gc->limits.cpus);
    const double beside = mutator_cpus(gc, gc->limits.cpus - worker);
    const double affordable = (work / (beside + worker) + 1 / alone - work / (AFFORDED * gc->limits.cpus)) /
                              (2 / alone - 1 / (beside + worker));
    double unassisted;

    pace->beside = allocated_beside(&gc->rates, pace->allocated_per_work * beside / worker);
    unassisted = pace->beside * scans;
    return unassisted < affordable ? unassisted : affordable > 0 ? affordable : 0;
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
    double room_b, growth_b, runway_b, low_b, high_b;

    pace->cycle = gc->cycles + 1;
    pace->gogc = AMP_GC_LOAD(&gc->limits.gogc);
    pace->live_b = gc->counts.bytes - gc->counts.born_b;
    pace->roots_b = gc->counts.stacks_b + gc->counts.roots_b;
    pace->goal_b = goal_of(gc, pace);
    pace->cpus = gc->limits.cpus;
    pace->share = worker_cpus(gc) / gc->limits.cpus;
    pace->work_b = gc->counts.scanned_b;
    measure(gc);
    pace->allocated_per_work = allocated_per_work(&gc->rates);
    room_b = (double) (pace->goal_b - gc->heap_b);
    growth_b = (double) (pace->goal_b - pace->live_b);
    runway_b = growth_b * runway_of(gc, growth_b);
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

/* Bytes to scan for each of so many that are to be allocated: what is left to scan, over what is left to allocate. */
static double price_of(struct amp_gc *gc, size_t bytes)
{
    const size_t heap_b = AMP_GC_LOAD(&gc->heap_b), scanned_b = AMP_GC_LOAD(&gc->counts.scanned_b);
    const size_t goal_b = gc->pace.goal_b, begin_b = gc->cycle.heap_begin_b;
    const size_t work_b = gc->pace.work_b > scanned_b ? gc->pace.work_b : begin_b; /* else at most all of the heap */
    const double left_b = work_b > scanned_b ? (double) (work_b - scanned_b) : (double) begin_b / 16;
    const double room_b = goal_b > heap_b + bytes ? (double) (goal_b - heap_b) : (double) bytes;

    return left_b / room_b;
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

/* Until the debt is paid, or there is nothing to mark, or somebody asks for a safe point; what is left is owed on. */
static void help(struct amp_gc *gc, struct amp_gc_mutator *m)
{
    const uint64_t begin_ns = amp_gc_thread_ns(), begin_b = m->marker.counts.scanned_b;

    while ((double) (m->marker.counts.scanned_b - begin_b) < m->debt &&
           !__atomic_load_n(m->asked, __ATOMIC_RELAXED) && amp_gc_mark_some(&m->marker, AT_ONCE))
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
    m->price = price_of(gc, bytes);
    m->debt += m->price * (double) bytes;
    use_credit(gc, m);
    if (m->debt > 0) {
        AMP_TRACE_BEGIN("gc: assist");
        help(gc, m);
        AMP_TRACE_END("gc: assist");
    }
    if (__atomic_load_n(m->asked, __ATOMIC_RELAXED))
        amp_gc_at_safe_point(m);
    if (AMP_GC_LOAD(&gc->heap_b) + bytes <= gc->pace.goal_b || gc->limits.modes & AMP_GC_STEP)
        return;
    m->waits_since_ns = amp_gc_now_ns();
    AMP_TRACE_BEGIN("gc: wait for marking");
    amp_gc_wait_done(gc, m, AMP_GC_LOAD(&gc->ended) + 1);
    AMP_TRACE_END("gc: wait for marking");
    m->waits_since_ns = 0;
}
