/* SPDX-License-Identifier: MIT */
#include "benchmarks/gc/result.h"

#define TASK(member, ...) AMP_FIELD(struct task, member, __VA_ARGS__)
#define FIELD(member, ...) AMP_FIELD(struct result, member, __VA_ARGS__)
#define CYCLE(member) AMP_FIELD(struct cycle, member)
#define ASKED TASK(workload), TASK(live_b, .least = 1), TASK(gogc, .least = 1), TASK(turnover), TASK(launch), TASK(seed)

const struct amp_record gc_task_record = {
    AMP_FIELDS(TASK(file), ASKED, TASK(graph)),
    .is_strict = true,
};

static const struct amp_record cycle = {
    AMP_FIELDS(CYCLE(begin_ns), CYCLE(first_stop_ns), CYCLE(mark_ns), CYCLE(second_stop_ns),
               CYCLE(first_stop_cpu_ns), CYCLE(second_stop_cpu_ns), CYCLE(longest_stop_ns),
               CYCLE(worker_ns), CYCLE(assist_ns), CYCLE(idle_ns), CYCLE(sweep_ns),
               CYCLE(stopped_ns), CYCLE(trigger_b), CYCLE(end_b), CYCLE(live_b), CYCLE(goal_b), CYCLE(stacks_b),
               CYCLE(globals_b)),
};

const struct amp_record gc_result_record = {
    AMP_FIELDS(FIELD(collector), FIELD(version), FIELD(concurrent),
               AMP_BEHIND("", struct result, task, AMP_OF(ASKED)), FIELD(mutators, .least = 1), FIELD(cpus, .least = 1),
               FIELD(checksum), FIELD(asked_live_b), FIELD(allocated_b), FIELD(heap_b), FIELD(peak_rss_b),
               FIELD(seconds), FIELD(cpu_seconds), AMP_OBJECTS("cycles", struct result, cycles, n_cycles, &cycle)),
    .schema = "ampersand/gc-launch/1",
};

#define GRAPH(member) AMP_FIELD(struct graph_result, member)
#define LINE(member, ...) AMP_FIELD(struct amp_heap_line, member, __VA_ARGS__)
#define LARGE(member) AMP_FIELD(struct amp_heap_large, member)

static const struct amp_record line = {
    AMP_FIELDS(LINE(name), LINE(parent, .least = -1), LINE(objects), LINE(own_b), LINE(retained_b)),
};
static const struct amp_record large = {
    AMP_FIELDS(LARGE(type), LARGE(size_b), LARGE(retained_b), LARGE(length),
               AMP_LIST(struct amp_heap_large, steps, n_steps)),
};

const struct amp_record gc_graph_record = {
    AMP_FIELDS(GRAPH(collector),
               AMP_BEHIND("", struct graph_result, task, AMP_OF(TASK(workload), TASK(live_b, .least = 1))),
               GRAPH(summary.objects), AMP_FIELD_AS("reached_b", struct graph_result, summary.live_b),
               GRAPH(summary.dropped_objects), GRAPH(summary.dropped_b), GRAPH(marked_b),
               GRAPH(walk_seconds), GRAPH(seconds),
               AMP_OBJECTS("types", struct graph_result, summary.types, summary.n_types, &line),
               AMP_OBJECTS("paths", struct graph_result, summary.paths, summary.n_paths, &line),
               AMP_OBJECTS("largest", struct graph_result, summary.largest, summary.n_largest, &large)),
    .schema = "ampersand/gc-graph/1",
};
