/* SPDX-License-Identifier: MIT
 *
 * ampersand's own collector. Its trace gives every cycle. */
#include "benchmarks/gc/collector.h"

#include "benchmarks/gc/walk.h"
#include "harness/build_info.h"
#include "harness/text/complain.h"

static struct amp_gc *gc;

const struct backend backend = { .name = "ours", .version = "ampersand " AMP_VERSION, .concurrent = true };

static void note(void *unused, const struct amp_gc_cycle *c)
{
    struct cycle *cycle = cycle_begun();

    (void) unused;
    if (!cycle)
        return;
    *cycle = (struct cycle){
        .begin_ns = cycle_time_ns(c->stop1_ns),
        .first_stop_ns = c->go1_ns - c->stop1_ns,
        .mark_ns = c->stop2_ns - c->go1_ns,
        .second_stop_ns = c->go2_ns - c->stop2_ns,
        .first_stop_cpu_ns = c->stop1_cpu_ns,
        .second_stop_cpu_ns = c->stop2_cpu_ns,
        .longest_stop_ns = c->longest_stop_ns,
        .worker_ns = c->worker_ns,
        .assist_ns = c->assist_ns,
        .sweep_ns = c->sweep_ns,
        .stopped_ns = c->stopped_ns,
        .trigger_b = c->heap_begin_b,
        .end_b = c->heap_end_b,
        .live_b = c->live_b,
        .goal_b = c->goal_b,
        .stacks_b = c->stacks_b,
        .globals_b = c->roots_b,
    };
    cycle_over();
}

uint64_t ours_fail(void *unused)
{
    (void) unused;
    amp_complain(0, "gc", "%s", amp_gc_message(gc));
    _exit(AMP_EXIT_NO_MEMORY);
}

int backend_start(const struct workload *workload, unsigned gogc, uint64_t live_b, const char **why)
{
    struct amp_gc_limits limits = AMP_GC_DEFAULTS;
    int err;

    (void) live_b;
    limits.gogc = (int) gogc;
    limits.trace.cycle = note;
    if (amp_gc_create(&limits, &gc, why))
        return -1;
    for (size_t i = 0; i < workload->n_types; i++) {
        err = ours_add_type(gc, workload->types[i], amp_map(OURS_MEMBERS * sizeof(uint16_t)));
        if (err)
            break;
    }
    for (size_t i = 0; i < workload->n_roots && !err; i++)
        err = amp_gc_root_add(gc, workload->roots[i].name, workload->roots[i].at, sizeof(void *));
    *why = amp_gc_message(gc);
    return err ? -1 : 0;
}

struct mutator {
    uint64_t (*fn)(unsigned, uint64_t);
    uint64_t argument;
    unsigned number;
    struct amp_gc_mutator *started;
};

static uint64_t work(void *argument)
{
    const struct mutator *mutator = argument;

    return mutator->fn(mutator->number, mutator->argument);
}

int backend_run(unsigned n, uint64_t (*fn)(unsigned, uint64_t), uint64_t argument, uint64_t *sum, const char **why)
{
    static const char *const names[MUTATORS] = { "mutator 0", "mutator 1" };
    struct mutator mutators[MUTATORS];
    unsigned begun = 0;
    int err = 0;

    for (; begun < n && !err; begun++) {
        mutators[begun] = (struct mutator){ .fn = fn, .argument = argument, .number = begun };
        err = amp_gc_mutator_start(gc, names[begun], NULL, work, &mutators[begun], &mutators[begun].started);
    }
    begun -= err != 0;
    *sum = 0;
    for (unsigned m = 0; m < begun; m++) {
        uint64_t one = 0;
        int ended = amp_gc_mutator_join(mutators[m].started, &one);

        err = err ? err : ended;
        *sum += one;
    }
    *why = amp_gc_message(gc);
    return err ? -1 : 0;
}

int backend_thread(void *(*fn)(void *), pthread_t *out)
{
    return pthread_create(out, NULL, fn, NULL);
}

void backend_collect(void)
{
    amp_gc_collect(gc);
}

uint64_t ours_collect(void *unused)
{
    (void) unused;
    return (uint64_t) amp_gc_collect(gc);
}

uint64_t backend_heap_b(void)
{
    struct amp_gc_stats stats;

    amp_gc_stats(gc, &stats);
    return stats.peak_span_b;
}

/* ---- The heap as a graph */

static void walk_root(void *graph, const char *where, const void *object)
{
    amp_heap_root(graph, where, object);
}

static void walk_object(void *graph, const struct amp_gc_object *object)
{
    amp_heap_object(graph, object->at, object->size_b, object->layout->name);
}

static void walk_edge(void *graph, const void *from, size_t field_b, const void *to)
{
    (void) from;
    (void) field_b;
    amp_heap_edge(graph, to);
}

int backend_walk(struct amp_heap_graph *graph, uint64_t *marked_b, const char **why)
{
    struct amp_gc_stats stats;
    const struct amp_gc_visitor visitor = { walk_root, walk_object, walk_edge, graph };
    int err = amp_gc_walk(gc, &visitor);

    amp_gc_stats(gc, &stats);
    *marked_b = stats.live_b;
    *why = amp_gc_message(gc);
    return err ? -1 : 0;
}
