/* SPDX-License-Identifier: MIT
 *
 * The task of a run's process, and the file that it writes. benchmarks/go/gc writes the same file. */
#ifndef GC_RESULT_H
#define GC_RESULT_H

#include "benchmarks/gc/backend.h"
#include "harness/files/record.h"
#include "harness/heap/summary.h"

struct task {
    const char *file, *workload;
    uint64_t live_b, seed, turnover; /* turnover: how often the live heap is allocated anew, in bytes */
    unsigned gogc, launch;
    bool graph; /* write the graph of its heap instead */
};

struct result {
    const struct task *task;
    const char *collector, *version;
    bool concurrent;
    unsigned mutators, cpus;
    json_t *checksum; /* in hexadecimal */
    uint64_t asked_live_b, allocated_b, heap_b, peak_rss_b;
    double seconds, cpu_seconds; /* of the time in which cycles were kept */
    struct cycle *cycles;
    size_t n_cycles;
};

struct graph_result {
    const struct task *task;
    const char *collector;
    struct amp_heap_summary summary;
    uint64_t marked_b; /* by the collector's last cycle */
    double walk_seconds, seconds;
};

extern const struct amp_record gc_task_record, gc_result_record, gc_graph_record;

#endif
