/* SPDX-License-Identifier: MIT
 *
 * ampersand-workload: the program that runs under the allocators. It links none: LD_PRELOAD chooses one, or else malloc
 * is the C library's. One process is one launch of one workload under one configuration, and writes one file. */
#ifndef AMP_WORKLOAD_CHILD_H
#define AMP_WORKLOAD_CHILD_H

#include "harness/allocators/provenance/in_force.h"
#include "harness/allocators/workload/list.h"
#include "harness/machine/memory.h"

/* The task: a JSON object as text, after the word "workload", "timeline", "pair" or "probe" (which needs only the
 * file). Strings are borrowed from its JSON. */
struct amp_workload_task {
    const char *file, *configuration, *workload;
    const char *lesson; /* of a pair, else NULL */
    const char *trace;  /* that is replayed, else NULL */
    unsigned launch, environment_padding_b, timeline_s;
    int cpu; /* -1: not pinned */
    uint64_t seed, quiet_ns; /* quiet_ns: the sensor's reading on a quiet core */
    bool quick, classes;
    size_t sizes[64], n_sizes; /* of a pair */
};
extern const struct amp_record amp_workload_task_record, amp_workload_identity_record; /* these keys begin a result */

/* Each writes task->file and returns an exit status, 0 or one of child.h's. */
int amp_workload_run(const struct amp_workload_task *task);      /* allocators/workload/run.c */
int amp_workload_timeline(const struct amp_workload_task *task); /* allocators/workload/timeline.c */
int amp_workload_pair(const struct amp_workload_task *task);     /* allocators/workload/pair.c */
extern const struct amp_record amp_workload_record, amp_timeline_record, amp_workload_pair_record;
extern const struct amp_record amp_workload_row_record; /* each of the rows of a pair */

/* Of this process; the settings are those that the allocator reports. */
struct amp_in_force amp_workload_in_force(void);

/* {minor, major} page faults and involuntary context switches of the whole process, since *before. */
struct amp_workload_usage {
    uint64_t minor, major, involuntary_switches;
};
struct amp_workload_usage amp_workload_usage(const struct amp_workload_usage *before);
extern const struct amp_record amp_workload_usage_record;

/* jemalloc's requests by size class; false under another allocator. Requests that a living thread has not flushed yet
 * are missing. */
struct amp_workload_classes {
    size_t n;
    struct amp_workload_class {
        uint64_t class_b, allocs;
    } list[256];
};
bool amp_workload_classes(struct amp_workload_classes *out);

#endif
