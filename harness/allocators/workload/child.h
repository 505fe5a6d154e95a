/* SPDX-License-Identifier: MIT
 *
 * ampersand-workload: the program that runs under the allocators. It links none: LD_PRELOAD decides, and without it
 * malloc is the C library's. One process is one launch of one workload under one configuration, and writes one file. */
#ifndef AMP_WORKLOAD_CHILD_H
#define AMP_WORKLOAD_CHILD_H

#include "harness/allocators/workload/list.h"

#include <jansson.h>
#include <stdbool.h>

/* The task, a JSON object as text behind the word "workload", "timeline", "pair" or "probe" (which wants only the
 * file); strings are borrowed from it.
 *
 *   { "file": "…/000.json", "configuration": "jemalloc",
 *     "workload": "small_churn" | "pair_factory", "launch": 0, "seed": 77, "cpu": 1 or -1,
 *     "environment_padding_b": 567, "quiet_ns": 991, "quick": false, "timeline_s": 12, "classes": true,
 *     "sizes": [8, 64] (pair) } */
struct amp_workload_task {
    const char *file, *configuration, *workload;
    json_int_t launch, seed, cpu, environment_padding_b, timeline_s;
    json_int_t quiet_ns; /* what the sensor reads on a quiet core */
    int quick, classes;
    const json_t *sizes;
};

/* Each writes task->file and returns an exit status, 0 or one of child.h's. */
int amp_workload_run(const struct amp_workload_task *task);      /* allocators/workload/run.c */
int amp_workload_timeline(const struct amp_workload_task *task); /* allocators/workload/timeline.c */
int amp_workload_pair(const struct amp_workload_task *task);     /* allocators/workload/pair.c */
int amp_workload_probe(const struct amp_workload_task *task);    /* allocators/workload/main.c */

/* The keys that begin every result; the result, stolen, into the task's file. */
json_t *amp_workload_identity(const struct amp_workload_task *task, const char *schema);
int amp_workload_write(const struct amp_workload_task *task, json_t *result);
int amp_workload_complain(int status, const char *what, const char *why);

json_t *amp_workload_integers(const uint64_t *numbers, size_t n);

/* Which allocator this process has, in as few words as tell it from another: {"library": the file that malloc is in,
 * "settings": a CRC-32 of what the allocator says of its settings, null where it says nothing}. */
json_t *amp_workload_in_force(void);

/* Of this process, from /proc/self/status; nothing is allocated. */
struct amp_workload_memory {
    uint64_t rss_b, peak_rss_b, mapped_b, peak_mapped_b;
};
bool amp_workload_memory(struct amp_workload_memory *out);

/* So far: {minor, major} page faults and involuntary context switches of the whole process. */
struct amp_workload_usage {
    uint64_t minor, major, switches;
};
void amp_workload_usage(struct amp_workload_usage *out);

/* jemalloc's requests by size class, as {"class_b", "allocs"}; NULL under another allocator. What threads have asked
 * for that live and have not flushed is missing. */
struct amp_workload_classes {
    size_t n;
    uint64_t class_b[256], requests[256];
};
bool amp_workload_classes(struct amp_workload_classes *out);

#endif
