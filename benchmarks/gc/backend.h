/* SPDX-License-Identifier: MIT
 *
 * What the program of a run asks of its collector, besides collector.h. A process has one. */
#ifndef GC_BACKEND_H
#define GC_BACKEND_H

#include "benchmarks/gc/workload.h"

#include <pthread.h>
#include <stdbool.h>

/* One collection. Times are of the clock; the heap is what is in use, garbage included. */
struct cycle {
    uint64_t begin_ns; /* since cycles are kept */
    /* The world stands still during both stops. Between them is the marking, beside the mutators where the collector
     * is concurrent; else the three are parts of one stop. */
    uint64_t first_stop_ns, mark_ns, second_stop_ns;
    uint64_t first_stop_cpu_ns, second_stop_cpu_ns; /* CPU time in these of who owes them; 0: not known */
    uint64_t longest_stop_ns; /* for which mutators stood still; of more stops than two, or of the only one */
    /* CPU time: marking by the collector's threads, by mutators, by CPUs that had nothing else to do; sweeping, where
     * it is known; and of the stops */
    uint64_t worker_ns, assist_ns, idle_ns, sweep_ns, stopped_ns;
    uint64_t trigger_b, end_b, live_b;   /* the heap when it began, when it ended, and what was reached */
    uint64_t goal_b;                     /* the heap that was not to be exceeded */
    uint64_t stacks_b, globals_b;        /* scanned, besides the heap */
};

/* Of child.c, for a backend whose collector tells of a cycle: what it may fill in, cleared; NULL: none is kept now. It
 * is kept once it is said to be over. Neither allocates. */
struct cycle *cycle_begun(void);
void cycle_over(void);
uint64_t cycle_time_ns(uint64_t now_ns); /* since cycles are kept */

struct backend {
    const char *name, *version;
    bool concurrent;
};
extern const struct backend backend;

/* Start the collector with roots and types of the workload. live_b: what will be live, which Boehm's must be told.
 * 0, or -1 with *why (static storage). */
int backend_start(const struct workload *workload, unsigned gogc, uint64_t live_b, const char **why);

/* Call fn(m, argument) on mutators 0 to n - 1 at the same time, wait, and add up what they return into *sum. 0, or -1
 * with *why. */
int backend_run(unsigned n, uint64_t (*fn)(unsigned mutator, uint64_t argument), uint64_t argument, uint64_t *sum,
                const char **why);

/* Start a thread that may call backend_collect(), and is joined by pthread_join(). 0 or an error of pthread_create(). */
int backend_thread(void *(*fn)(void *), pthread_t *out);
void backend_collect(void); /* everything that is garbage now */
uint64_t backend_heap_b(void); /* what is mapped for objects, now */

#endif
