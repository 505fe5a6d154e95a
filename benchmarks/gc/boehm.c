/* SPDX-License-Identifier: MIT
 *
 * Boehm's collector (bdw-gc). Its own knob is a divisor of the heap's size; GOGC is had by asking for so many bytes
 * between two collections instead. Its only stop holds all of a collection:
 *
 *     PRE_STOP ... MARK_START ... MARK_END ... POST_START
 *     first stop  |   marking   |  second stop
 *
 * One marker: more would take the CPUs of the mutators, and be no collector of one thread any more. */
#include "benchmarks/gc/collector.h"

#include "benchmarks/gc/walk.h"
#include "harness/measure/rounds.h"
#include "harness/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

static uint64_t stop_ns, mark_ns, marked_ns, between_b, live;
static uint64_t stop_cpu_ns, mark_cpu_ns, marked_cpu_ns; /* of the thread that collects */
static char version[32];

const struct backend backend = { .name = "boehm", .version = version, .concurrent = false };

static uint64_t allocated_b(void)
{
    struct GC_prof_stats_s stats;

    GC_get_prof_stats_unsafe(&stats, sizeof stats);
    return stats.bytes_allocd_since_gc;
}

static uint64_t cpu_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

/* Called with the collector's lock held: it must not allocate. */
static void GC_CALLBACK note(GC_EventType event)
{
    uint64_t now_ns = amp_clock_monotonic();
    struct cycle *cycle = cycle_begun();

    if (!cycle)
        return;
    switch (event) {
    case GC_EVENT_PRE_STOP_WORLD:
        stop_ns = now_ns;
        stop_cpu_ns = cpu_ns();
        cycle->begin_ns = cycle_time_ns(now_ns);
        cycle->trigger_b = cycle->end_b = live + allocated_b();
        cycle->goal_b = live + between_b;
        cycle->live_b = live;
        break;
    case GC_EVENT_MARK_START:
        mark_ns = now_ns;
        mark_cpu_ns = cpu_ns();
        break;
    case GC_EVENT_MARK_END:
        marked_ns = now_ns;
        marked_cpu_ns = cpu_ns();
        break;
    case GC_EVENT_POST_START_WORLD:
        cycle->first_stop_ns = mark_ns - stop_ns;
        cycle->mark_ns = marked_ns - mark_ns;
        cycle->worker_ns = marked_cpu_ns - mark_cpu_ns;
        cycle->second_stop_ns = now_ns - marked_ns;
        cycle->longest_stop_ns = now_ns - stop_ns;
        cycle->stopped_ns = cpu_ns() - stop_cpu_ns - cycle->worker_ns;
        cycle_over();
        break;
    default:
        break;
    }
}

int backend_start(const struct workload *workload, unsigned gogc, uint64_t live_b, const char **why)
{
    unsigned v = GC_get_version();

    snprintf(version, sizeof version, "bdw-gc %u.%u.%u", v >> 16, (v >> 8) & 255, v & 255);
    GC_set_all_interior_pointers(0); /* else 64 bytes take 80 */
    GC_set_markers_count(1);
    GC_INIT(); /* roots are static data, which is scanned anyway */
    if (workload->protects) {
        GC_enable_incremental();
        *why = "it does not protect pages here";
        if (!(GC_incremental_protection_needs() & GC_PROTECTS_POINTER_HEAP))
            return -1;
    }
    live = live_b;
    GC_set_free_space_divisor(1000000);
    between_b = live * gogc / 100;
    GC_set_min_bytes_allocd(between_b);
    GC_set_on_collection_event(note);
    return 0;
}

struct mutator {
    uint64_t (*fn)(unsigned, uint64_t);
    uint64_t argument, sum;
    unsigned number;
    pthread_t thread;
};

static void *work(void *argument)
{
    struct mutator *mutator = argument;

    mutator->sum = mutator->fn(mutator->number, mutator->argument);
    return NULL;
}

int backend_run(unsigned n, uint64_t (*fn)(unsigned, uint64_t), uint64_t argument, uint64_t *sum, const char **why)
{
    struct mutator mutators[MUTATORS];
    unsigned begun = 0;

    for (; begun < n; begun++) {
        mutators[begun] = (struct mutator){ .fn = fn, .argument = argument, .number = begun };
        if (GC_pthread_create(&mutators[begun].thread, NULL, work, &mutators[begun]))
            break;
    }
    *sum = 0;
    for (unsigned m = 0; m < begun; m++) {
        GC_pthread_join(mutators[m].thread, NULL);
        *sum += mutators[m].sum;
    }
    *why = "a thread could not be started";
    return begun == n ? 0 : -1;
}

int backend_thread(void *(*fn)(void *), pthread_t *out)
{
    return GC_pthread_create(out, NULL, fn, NULL);
}

void backend_collect(void)
{
    GC_gcollect();
}

uint64_t backend_heap_b(void)
{
    return GC_get_heap_size();
}

int backend_walk(struct amp_heap_graph *graph, uint64_t *marked_b, const char **why)
{
    (void) graph;
    (void) marked_b;
    *why = "Boehm's collector does not know the types of objects";
    return -1;
}
