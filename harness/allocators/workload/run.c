/* SPDX-License-Identifier: MIT
 *
 * One launch of one workload.
 *
 *     set_up | warm-up chunk | chunk chunk chunk ...          | single operations | drain
 *     start_rss              |<- each timed as a whole       ->| each timed alone  | retained_rss
 *                            |   faults counted               |
 *                            `-- peak_rss, peak_mapped read after the fifth; of a trace, these and retained_rss after
 *                                the first time that it is replayed, which is the warm-up
 *
 * With several threads, a chunk begins at a barrier, and lasts from the first start to the last end; each thread reads
 * the clock itself. The sensor is read between chunks, while all threads but one sleep. A chunk is quiet if the
 * readings before and after it are. If few chunks are quiet, more are run. Before the warm-up and at the end, the first
 * two threads measure how far apart their CPUs are. Memory is read after the number of chunks that every launch has.
 *
 * Single operations are timed in thread 0, which in a ring is the one that allocates. The other threads do the same
 * number without a clock, and end sooner. Such a time contains two readings of the clock, so throughput is measured
 * separately. */
#include "harness/allocators/workload/child.h"
#include "harness/allocators/workload/replay.h"
#include "harness/measure/quantile.h"
#include "harness/measure/round_trip.h"
#include "harness/measure/rounds.h"
#include "harness/measure/sensor.h"
#include "harness/text/complain.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { MIN_CHUNKS = 5, MAX_CHUNKS = 64, QUICK_CHUNKS = 8, MIN_QUIET = 5, SINGLES_TRIES = 4 };
/* Are there enough chunks, or has the wait for quiet ones been long enough? The number of chunks may differ between
 * configurations, their size may not. */
#define CHUNKS_NS 30000000u
#define PATIENCE_NS 120000000u

struct launch {
    const struct amp_workload *workload;
    void *fixture;
    pthread_barrier_t barrier;
    uint64_t ops; /* of each thread in the coming step; 0: no more steps */
    uint64_t first_ops; /* of a trace, until it was replayed once: then its memory is known; else 0 */
    struct amp_round_trip trip;
    bool is_trip; /* the coming step is one */
    struct {
        _Alignas(64) uint64_t begin_ns, end_ns, sum;
    } of[AMP_WORKLOAD_THREADS];
    pthread_t threads[AMP_WORKLOAD_THREADS];
    uint64_t *samples_ns, *other_samples_ns; /* single operations: of the quietest attempt, of another */
    uint64_t chunks_ns[MAX_CHUNKS], sensor_ns[MAX_CHUNKS], n_quiet, spent_ns, checksum;
    size_t n_chunks;
    uint64_t quiet_ns, last_sensor_ns; /* read after the chunk before */
};

struct helper {
    struct launch *launch;
    unsigned thread;
};

static void run_step(struct launch *launch, unsigned thread)
{
    launch->of[thread].begin_ns = amp_clock_monotonic();
    launch->of[thread].sum = launch->workload->run(launch->fixture, thread, launch->ops);
    launch->of[thread].end_ns = amp_clock_monotonic();
}

/* Pin each thread to one of the allowed CPUs, in turn. Otherwise the kernel decides in each launch whether two of them
 * share one. Not before main() begins, so that the allocator has counted all CPUs. */
static void stay(unsigned thread)
{
    cpu_set_t allowed, own;
    int n, seen = 0;

    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return;
    n = (int) thread % CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t) cpu, &allowed) && seen++ == n) {
            CPU_ZERO(&own);
            CPU_SET((size_t) cpu, &own);
            sched_setaffinity(0, sizeof own, &own);
            return;
        }
}

static void *help(void *argument)
{
    struct helper helper = *(struct helper *) argument;

    stay(helper.thread);
    for (;;) {
        pthread_barrier_wait(&helper.launch->barrier);
        if (helper.launch->ops == 0)
            return NULL;
        if (!helper.launch->is_trip)
            run_step(helper.launch, helper.thread);
        else if (helper.thread == 1)
            amp_round_trip_return(&helper.launch->trip);
        pthread_barrier_wait(&helper.launch->barrier);
    }
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void meet(struct launch *launch)
{
    if (launch->workload->threads > 1)
        pthread_barrier_wait(&launch->barrier);
}

/* Nanoseconds of a round trip from thread 0 to thread 1; 0 if there is no thread 1, or it took too long. */
static uint64_t measure_trip(struct launch *launch)
{
    uint64_t ns;

    if (launch->workload->threads < 2)
        return 0;
    amp_round_trip_begin(&launch->trip);
    launch->is_trip = true;
    launch->ops = 1;
    meet(launch);
    ns = amp_round_trip_serve(&launch->trip, amp_clock_monotonic);
    meet(launch);
    launch->is_trip = false;
    return ns;
}

/* Run one step in all threads: nanoseconds from the first start to the last end, and the higher reading of before and
 * after. */
static uint64_t run_chunk(struct launch *launch, uint64_t *sum, uint64_t *sensor_ns)
{
    uint64_t begin_ns = UINT64_MAX, end_ns = 0, before_ns = launch->last_sensor_ns;

    launch->ops = launch->first_ops ? launch->first_ops : launch->workload->chunk_ops;
    meet(launch);
    run_step(launch, 0);
    meet(launch);
    for (unsigned i = 0; i < launch->workload->threads; i++) {
        *sum += launch->of[i].sum;
        begin_ns = launch->of[i].begin_ns < begin_ns ? launch->of[i].begin_ns : begin_ns;
        end_ns = launch->of[i].end_ns > end_ns ? launch->of[i].end_ns : end_ns;
    }
    launch->last_sensor_ns = amp_sensor_read_beside(launch->workload->threads - 1);
    *sensor_ns = most(before_ns, launch->last_sensor_ns);
    return end_ns - begin_ns;
}

/* The checksum covers the chunks that every configuration runs, even the slowest. */
static void run_chunks(struct launch *launch, unsigned limit)
{
    uint64_t unused = 0;

    while (launch->n_chunks < limit && (launch->n_chunks < MIN_CHUNKS || launch->spent_ns < CHUNKS_NS ||
                                        (launch->n_quiet < MIN_QUIET && launch->spent_ns < PATIENCE_NS))) {
        uint64_t *sum = launch->n_chunks < MIN_CHUNKS ? &launch->checksum : &unused;
        uint64_t *sensor_ns = &launch->sensor_ns[launch->n_chunks], ns = run_chunk(launch, sum, sensor_ns);

        launch->n_quiet += amp_sensor_is_quiet(*sensor_ns, launch->quiet_ns);
        launch->chunks_ns[launch->n_chunks++] = ns;
        launch->spent_ns += ns;
    }
}

static void run_singles_once(struct launch *launch)
{
    uint64_t n = launch->workload->latency_ops, sum = 0, begin_ns;

    launch->ops = n;
    meet(launch);
    for (uint64_t i = 0; i < n; i++) {
        begin_ns = amp_clock_monotonic();
        sum += launch->workload->run(launch->fixture, 0, 1);
        launch->other_samples_ns[i] = amp_clock_monotonic() - begin_ns;
    }
    amp_keep(&sum);
    meet(launch);
}

/* Repeat if the core was not quiet; the quietest time counts. */
static void run_singles(struct launch *launch, uint64_t *sensor_ns)
{
    unsigned others = launch->workload->threads - 1;
    uint64_t before_ns = amp_sensor_read_beside(others);

    *sensor_ns = UINT64_MAX;
    for (int try = 0; try < SINGLES_TRIES && !amp_sensor_is_quiet(*sensor_ns, launch->quiet_ns); try++) {
        uint64_t after_ns, highest_ns, *samples_ns = launch->samples_ns;

        run_singles_once(launch);
        after_ns = amp_sensor_read_beside(others);
        highest_ns = most(before_ns, after_ns);
        before_ns = after_ns;
        if (highest_ns < *sensor_ns) {
            *sensor_ns = highest_ns;
            launch->samples_ns = launch->other_samples_ns;
            launch->other_samples_ns = samples_ns;
        }
    }
}

static int start_threads(struct launch *launch, struct helper *helpers)
{
    unsigned n = launch->workload->threads;

    if (n > 1 && pthread_barrier_init(&launch->barrier, NULL, n))
        return amp_complain(2, launch->workload->name, "its threads cannot be started");
    for (unsigned i = 1; i < n; i++) {
        helpers[i] = (struct helper){ launch, i };
        if (pthread_create(&launch->threads[i], NULL, help, &helpers[i]))
            return amp_complain(2, launch->workload->name, "its threads cannot be started");
    }
    if (n > 1)
        stay(0);
    return 0;
}

static void end_threads(struct launch *launch)
{
    launch->ops = 0;
    meet(launch);
    for (unsigned i = 1; i < launch->workload->threads; i++)
        pthread_join(launch->threads[i], NULL);
}

/* What is written, and what it is found by. */
struct facts {
    const struct amp_workload_task *task;
    const struct launch *launch;
    unsigned threads;
    uint64_t chunk_ops, asked_peak_b;
    struct amp_in_force in_force;
    json_t *checksum;
    struct {
        uint64_t ops, sensor_ns, max_ns;
        double p50_ns, p90_ns, p99_ns, p999_ns;
    } latency;
    struct amp_clock_facts clock;
    struct amp_memory start, busy, drained;
    struct amp_workload_usage used;
    struct amp_workload_classes before, after;
    struct amp_workload_class *classes; /* NULL: not known, or not asked for */
    double seconds;
    uint64_t trips_ns[2], *round_trip_ns; /* before the chunks, and after the single operations; NULL: one thread */
    size_t n_trips;
    bool has_classes, has_memory;
};

#define FIELD(member, ...) AMP_FIELD(struct facts, member, __VA_ARGS__)
#define AS(name, member) AMP_FIELD_AS(name, struct facts, member)
#define CHUNKS(member) AMP_LIST(struct launch, member, n_chunks, .least = 1)
#define CLASS(member, ...) AMP_FIELD(struct amp_workload_class, member, __VA_ARGS__)
const struct amp_record amp_workload_record = {
    AMP_FIELDS(AMP_BEHIND("", struct facts, task, &amp_workload_identity_record), FIELD(threads, .least = 1),
               AMP_INNER("in_force", struct facts, in_force, &amp_in_force_record), FIELD(chunk_ops, .least = 1),
               AMP_BEHIND("", struct facts, launch, AMP_OF(CHUNKS(chunks_ns), CHUNKS(sensor_ns))),
               AMP_GROUP("latency", AMP_OF(FIELD(latency.ops, .least = 1), AS("clock_cost_ns", clock.cost_ns),
                                           FIELD(latency.sensor_ns, .least = 1), FIELD(latency.p50_ns),
                                           FIELD(latency.p90_ns), FIELD(latency.p99_ns), FIELD(latency.p999_ns),
                                           FIELD(latency.max_ns))),
               AMP_GROUP("memory", AMP_OF(AS("start_rss_b", start.rss_b), FIELD(busy.peak_rss_b),
                                          AS("retained_rss_b", drained.rss_b), FIELD(asked_peak_b),
                                          AS("start_mapped_b", start.mapped_b), FIELD(busy.peak_mapped_b))),
               AMP_INNER("", struct facts, used, &amp_workload_usage_record), FIELD(checksum),
               AMP_OBJECTS("classes", struct facts, classes, after.n, AMP_OF(CLASS(class_b, .least = 1), CLASS(allocs)),
                           .is_nullable = true),
               FIELD(seconds), AMP_LIST(struct facts, round_trip_ns, n_trips, .least = 1, .is_nullable = true)),
    .schema = "ampersand/workload/1",
};

static void find_latency(const struct launch *launch, struct facts *f)
{
    uint64_t n = launch->workload->latency_ops, *ns = launch->samples_ns;
    uint64_t step_ns = amp_quantile_step_ns(amp_clock_monotonic);

    amp_clock_measure(amp_clock_monotonic, &f->clock);
    qsort(ns, n, sizeof *ns, amp_compare_ns);
    f->latency.ops = n;
    f->latency.p50_ns = amp_quantile_grouped(ns, n, 500, step_ns);
    f->latency.p90_ns = amp_quantile_grouped(ns, n, 900, step_ns);
    f->latency.p99_ns = amp_quantile_grouped(ns, n, 990, step_ns);
    f->latency.p999_ns = amp_quantile_grouped(ns, n, 999, step_ns);
    f->latency.max_ns = ns[n - 1];
}

/* Of f->after what has come since f->before. */
static void find_classes(struct facts *f)
{
    size_t n = 0;

    f->classes = f->after.list;
    for (size_t i = 0; i < f->after.n && i < f->before.n; i++)
        if (f->after.list[i].allocs > f->before.list[i].allocs)
            f->classes[n++] = (struct amp_workload_class){ f->after.list[i].class_b,
                                                           f->after.list[i].allocs - f->before.list[i].allocs };
    f->after.n = n;
}

static int write_result(struct facts *f, uint64_t begin_ns)
{
    f->checksum = json_sprintf("%016llx", (unsigned long long) f->launch->checksum);
    f->threads = f->launch->workload->threads;
    f->chunk_ops = f->launch->workload->chunk_ops * f->threads;
    f->in_force = amp_workload_in_force();
    find_latency(f->launch, f);
    if (f->has_classes)
        find_classes(f);
    if (f->threads > 1)
        f->round_trip_ns = f->trips_ns;
    f->n_trips = 2;
    for (int i = 0; i < 2; i++)
        f->trips_ns[i] = f->trips_ns[i] > 0 ? f->trips_ns[i] : AMP_NONE;
    f->seconds = (double) (amp_clock_monotonic() - begin_ns) / 1e9;
    return amp_record_save(&amp_workload_record, f, f->task->file);
}

/* The steps on top of this file. */
static void measure(struct launch *launch, struct facts *f, const struct amp_workload_task *task)
{
    uint64_t unused = 0, unused_ns;

    launch->fixture = launch->workload->set_up(task->seed);
    f->trips_ns[0] = measure_trip(launch);
    run_chunk(launch, &unused, &unused_ns);
    if (launch->first_ops) {
        f->has_memory = f->has_memory && amp_memory_of(0, &f->busy);
        f->busy.peak_rss_b = most(f->busy.peak_rss_b, amp_replay_peak_rss_b());
    }
    launch->first_ops = 0;
    f->drained = f->busy; /* a trace ends with nothing live */
    f->has_classes = task->classes && amp_workload_classes(&f->before);
    f->used = amp_workload_usage(&f->used);
    run_chunks(launch, MIN_CHUNKS);
    if (!task->trace)
        f->has_memory = f->has_memory && amp_memory_of(0, &f->busy);
    f->asked_peak_b = launch->workload->asked_peak_b(launch->fixture);
    run_chunks(launch, task->quick ? QUICK_CHUNKS : MAX_CHUNKS);
    f->used = amp_workload_usage(&f->used);
    run_singles(launch, &f->latency.sensor_ns);
    f->trips_ns[1] = measure_trip(launch);
}

int amp_workload_run(const struct amp_workload_task *task)
{
    static struct launch launch;
    static struct helper helpers[AMP_WORKLOAD_THREADS];
    static struct facts f;
    uint64_t begin_ns = amp_clock_monotonic();
    static struct amp_replay replay;
    const struct amp_workload *workload = task->trace ? &replay.workload : amp_workload_find(task->workload);
    const char *why = "there is no such workload";
    int status;

    if (!workload || (task->trace && amp_replay_load(task->trace, &replay, &why)))
        return amp_complain(2, task->trace ? task->trace : task->workload, "%s", why);
    launch.workload = workload;
    launch.first_ops = task->trace ? replay.cycle_ops : 0;
    f.task = task;
    f.launch = &launch;
    launch.quiet_ns = task->quiet_ns;
    launch.samples_ns = amp_map(AMP_LATENCY_OPS * sizeof *launch.samples_ns);
    launch.other_samples_ns = amp_map(AMP_LATENCY_OPS * sizeof *launch.other_samples_ns);
    status = start_threads(&launch, helpers);
    if (status)
        return status;
    f.has_memory = amp_memory_of(0, &f.start); /* after the threads have their stacks, so that these do not count */
    measure(&launch, &f, task);
    end_threads(&launch);
    if (f.has_classes)
        f.has_classes = amp_workload_classes(&f.after);
    workload->drain(launch.fixture);
    if (!task->trace)
        f.has_memory = f.has_memory && amp_memory_of(0, &f.drained);
    if (!f.has_memory)
        return amp_complain(2, "/proc/self/status", "it does not tell this process's memory");
    workload->tear_down(launch.fixture);
    return write_result(&f, begin_ns);
}
