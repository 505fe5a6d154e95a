/* SPDX-License-Identifier: MIT
 *
 * One launch of one workload.
 *
 *     set_up | warm-up chunk | chunk chunk chunk ...          | single operations | drain
 *     start_rss              |<- each timed as a whole       ->| each timed alone  | retained_rss
 *                            |   faults counted               |
 *                            `-- peak_rss, peak_mapped read after the fifth
 *
 * With several threads a chunk begins for all of them at a barrier and lasts from the first start to the last end, by
 * clocks that the threads read themselves. The sensor is read between chunks, while all threads but one sleep. A chunk is
 * quiet if both readings were, before it and after it; there are more chunks where few are. Before the warm-up and after
 * all, the first two threads tell how far apart their CPUs are. Memory is read after as many chunks as every launch has.
 * Single operations are timed in thread 0 (of two sides of a ring it is the one that allocates) while the others do the
 * same number without a clock, and so end sooner: their times have two reads of the clock in them, which is why throughput
 * is measured apart. */
#include "harness/allocators/workload/child.h"
#include "harness/bench/child.h"
#include "harness/measure/quantile.h"
#include "harness/measure/round_trip.h"
#include "harness/measure/rounds.h"
#include "harness/measure/sensor.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { MIN_CHUNKS = 5, MAX_CHUNKS = 64, QUICK_CHUNKS = 8, MIN_QUIET = 5, SINGLES_TRIES = 4 };
/* Enough chunks, and enough of waiting for quiet ones: their number may differ between configurations, their size never
 * does. */
#define CHUNKS_NS 30000000u
#define PATIENCE_NS 120000000u

struct launch {
    const struct amp_workload *workload;
    void *fixture;
    pthread_barrier_t barrier;
    uint64_t ops; /* of each thread in the coming step; 0: no more steps */
    struct amp_round_trip trip;
    bool is_trip; /* the coming step is one */
    struct {
        _Alignas(64) uint64_t begin_ns, end_ns, sum;
    } of[AMP_WORKLOAD_THREADS];
    pthread_t threads[AMP_WORKLOAD_THREADS];
    uint64_t *samples_ns, *other_samples_ns; /* single operations: of the quietest attempt, of another */
    uint64_t chunks_ns[MAX_CHUNKS], sensor_ns[MAX_CHUNKS], n_chunks, n_quiet, spent_ns, checksum;
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

/* Each thread stays on one CPU, in turn of those that are allowed: else the kernel decides from launch to launch whether
 * two of them share one. After main() has begun, so that an allocator has counted its CPUs by then. */
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

/* Nanoseconds of a round trip from thread 0 to thread 1; 0 where there is none, or it took too long. */
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

/* All threads once; nanoseconds from the first start to the last end, and the higher reading of before and after. */
static uint64_t run_chunk(struct launch *launch, uint64_t *sum, uint64_t *sensor_ns)
{
    uint64_t begin_ns = UINT64_MAX, end_ns = 0, before_ns = launch->last_sensor_ns;

    launch->ops = launch->workload->chunk_ops;
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

/* The checksum is that of the chunks that every configuration runs, however slow it is. */
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

/* Again where the core was not quiet; the quietest time counts. */
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
        return amp_workload_complain(2, launch->workload->name, "its threads cannot be started");
    for (unsigned i = 1; i < n; i++) {
        helpers[i] = (struct helper){ launch, i };
        if (pthread_create(&launch->threads[i], NULL, help, &helpers[i]))
            return amp_workload_complain(2, launch->workload->name, "its threads cannot be started");
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

static json_t *latency(struct launch *launch, uint64_t sensor_ns)
{
    uint64_t n = launch->workload->latency_ops, *ns = launch->samples_ns;
    uint64_t step_ns = amp_quantile_step_ns(amp_clock_monotonic);
    struct amp_clock_facts clock = { .cost_ns = 0 };

    amp_clock_measure(amp_clock_monotonic, &clock);
    qsort(ns, n, sizeof *ns, amp_compare_ns);
    return json_pack("{s:I, s:f, s:I, s:f, s:f, s:f, s:f, s:I}", "ops", (json_int_t) n, "clock_cost_ns", clock.cost_ns,
                     "sensor_ns", (json_int_t) sensor_ns, "p50_ns", amp_quantile_grouped(ns, n, 500, step_ns), "p90_ns",
                     amp_quantile_grouped(ns, n, 900, step_ns), "p99_ns", amp_quantile_grouped(ns, n, 990, step_ns),
                     "p999_ns", amp_quantile_grouped(ns, n, 999, step_ns), "max_ns", (json_int_t) ns[n - 1]);
}

static json_t *class_list(const struct amp_workload_classes *before, const struct amp_workload_classes *after)
{
    json_t *array = json_array();

    for (size_t i = 0; i < after->n && i < before->n; i++)
        if (after->requests[i] > before->requests[i])
            json_array_append_new(array, json_pack("{s:I, s:I}", "class_b", (json_int_t) after->class_b[i], "allocs",
                                                   (json_int_t) (after->requests[i] - before->requests[i])));
    return array;
}

/* null where it is not known. */
static json_t *round_trip(uint64_t ns)
{
    return ns > 0 ? json_integer((json_int_t) ns) : json_null();
}

struct facts {
    struct amp_workload_memory start, busy, drained;
    struct amp_workload_usage before, after;
    struct amp_workload_classes classes_before, classes_after;
    uint64_t asked_peak_b, singles_sensor_ns, trips_ns[2]; /* before the chunks, and after the single operations */
    bool has_classes, has_memory;
};

static json_t *result_of(const struct amp_workload_task *task, struct launch *launch, const struct facts *f,
                         uint64_t begin_ns)
{
    json_t *result = amp_workload_identity(task, "ampersand/workload/1"), *more;
    char checksum[32];

    snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long) launch->checksum);
    more = json_pack(
        "{s:I, s:o, s:I, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I}, s:I, s:s, s:o, s:f, s:o}",
        "threads", (json_int_t) launch->workload->threads, "in_force", amp_workload_in_force(), "chunk_ops",
        (json_int_t) (launch->workload->chunk_ops * launch->workload->threads), "chunks_ns",
        amp_workload_integers(launch->chunks_ns, launch->n_chunks), "sensor_ns",
        amp_workload_integers(launch->sensor_ns, launch->n_chunks), "latency", latency(launch, f->singles_sensor_ns),
        "memory", "start_rss_b", (json_int_t) f->start.rss_b, "peak_rss_b", (json_int_t) f->busy.peak_rss_b,
        "retained_rss_b", (json_int_t) f->drained.rss_b, "asked_peak_b", (json_int_t) f->asked_peak_b, "start_mapped_b",
        (json_int_t) f->start.mapped_b, "peak_mapped_b", (json_int_t) f->busy.peak_mapped_b, "faults", "minor",
        (json_int_t) (f->after.minor - f->before.minor), "major", (json_int_t) (f->after.major - f->before.major),
        "involuntary_switches", (json_int_t) (f->after.switches - f->before.switches), "checksum", checksum, "classes",
        f->has_classes ? class_list(&f->classes_before, &f->classes_after) : json_null(), "seconds",
        (double) (amp_clock_monotonic() - begin_ns) / 1e9, "round_trip_ns",
        launch->workload->threads > 1 ? json_pack("[o, o]", round_trip(f->trips_ns[0]), round_trip(f->trips_ns[1]))
                                      : json_null());
    if (!result || !more || json_object_update(result, more)) {
        json_decref(result);
        result = NULL;
    }
    json_decref(more);
    return result;
}

/* The steps on top of this file. */
static void measure(struct launch *launch, struct facts *f, const struct amp_workload_task *task)
{
    uint64_t unused = 0, unused_ns;

    launch->fixture = launch->workload->set_up((uint64_t) task->seed);
    f->trips_ns[0] = measure_trip(launch);
    run_chunk(launch, &unused, &unused_ns);
    f->has_classes = task->classes && amp_workload_classes(&f->classes_before);
    amp_workload_usage(&f->before);
    run_chunks(launch, MIN_CHUNKS);
    f->has_memory = f->has_memory && amp_workload_memory(&f->busy);
    f->asked_peak_b = launch->workload->asked_peak_b(launch->fixture);
    run_chunks(launch, task->quick ? QUICK_CHUNKS : MAX_CHUNKS);
    amp_workload_usage(&f->after);
    run_singles(launch, &f->singles_sensor_ns);
    f->trips_ns[1] = measure_trip(launch);
}

int amp_workload_run(const struct amp_workload_task *task)
{
    static struct launch launch;
    static struct helper helpers[AMP_WORKLOAD_THREADS];
    static struct facts f;
    uint64_t begin_ns = amp_clock_monotonic();
    const struct amp_workload *workload = amp_workload_find(task->workload);
    int status;

    if (!workload)
        return amp_workload_complain(2, task->workload, "there is no such workload");
    launch.workload = workload;
    launch.quiet_ns = (uint64_t) task->quiet_ns;
    launch.samples_ns = amp_map(AMP_LATENCY_OPS * sizeof *launch.samples_ns);
    launch.other_samples_ns = amp_map(AMP_LATENCY_OPS * sizeof *launch.other_samples_ns);
    status = start_threads(&launch, helpers);
    if (status)
        return status;
    f.has_memory = amp_workload_memory(&f.start); /* the threads' stacks are there, and are not billed */
    measure(&launch, &f, task);
    end_threads(&launch);
    if (f.has_classes)
        f.has_classes = amp_workload_classes(&f.classes_after);
    workload->drain(launch.fixture);
    f.has_memory = f.has_memory && amp_workload_memory(&f.drained);
    if (!f.has_memory)
        return amp_workload_complain(2, "/proc/self/status", "it does not tell this process's memory");
    workload->tear_down(launch.fixture);
    return amp_workload_write(task, result_of(task, &launch, &f, begin_ns));
}
