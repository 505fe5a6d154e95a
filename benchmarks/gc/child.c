/* SPDX-License-Identifier: MIT
 *
 * ampersand-gc-boehm, ampersand-gc-ours: one process of a run of `gc`, with one collector. It builds the live heap of
 * its workload, collects once, and turns the heap over while cycles are kept; then it writes its file. */
#include "benchmarks/gc/walk.h"
#include "harness/measure/rounds.h"
#include "harness/run/process.h"
#include "harness/text/complain.h"
#include "harness/workload.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define COLLECTIONS 9 /* of a shape */
#define MOST_CYCLES 65536

static const struct workload *workload;
static uint64_t seed;

/* The cycles that are kept. Mapped: static data would be scanned for roots by Boehm's collector. */
static struct {
    struct cycle *list;
    size_t n;
    bool on;
    uint64_t since_ns;
} kept;

struct cycle *cycle_begun(void)
{
    return kept.on && kept.n < MOST_CYCLES ? &kept.list[kept.n] : NULL;
}

void cycle_over(void)
{
    kept.n++;
}

uint64_t cycle_time_ns(uint64_t now_ns)
{
    return now_ns > kept.since_ns ? now_ns - kept.since_ns : 0;
}

static uint64_t set_up(unsigned mutator, uint64_t live_b)
{
    (void) mutator;
    return workload->set_up(live_b, seed);
}

static double cpu_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

static unsigned cpus(void)
{
    cpu_set_t allowed;

    return sched_getaffinity(0, sizeof allowed, &allowed) ? 1 : (unsigned) CPU_COUNT(&allowed);
}

static int save(const struct task *task, struct result *result)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    result->task = task;
    result->collector = backend.name;
    result->version = backend.version;
    result->concurrent = backend.concurrent;
    result->mutators = workload->mutators;
    result->cpus = cpus();
    result->asked_live_b = workload->live_b();
    result->heap_b = backend_heap_b();
    result->peak_rss_b = (uint64_t) usage.ru_maxrss * 1024;
    return amp_record_save(&gc_result_record, result, task->file);
}

static _Atomic bool over;

static void *collect(void *unused)
{
    while (!over)
        backend_collect();
    return unused;
}

/* The workload, for so many bytes of each mutator; a shape is collected as it is. 0 or -1 with *why. */
static int turn_over(uint64_t each_b, uint64_t *sum, const char **why)
{
    pthread_t thread;
    int err;

    *why = "a thread could not be started";
    *sum = 0;
    for (unsigned i = 0; i < COLLECTIONS && !workload->run; i++)
        backend_collect();
    if (!workload->run)
        return 0;
    if (workload->collected && backend_thread(collect, &thread))
        return -1;
    err = backend_run(workload->mutators, workload->run, each_b, sum, why);
    over = true;
    if (workload->collected)
        pthread_join(thread, NULL);
    return err;
}

static int measure(const struct task *task)
{
    uint64_t live_b = workload->live_b(), each_b = task->turnover * live_b / workload->mutators, sum = 0;
    struct result result = { .allocated_b = each_b * workload->mutators };
    const char *why;

    backend_collect(); /* then no cycle before is still being written down */
    kept.since_ns = amp_clock_monotonic();
    kept.on = true;
    result.cpu_seconds = cpu_seconds();
    if (turn_over(each_b, &sum, &why))
        return amp_complain(2, workload->name, "%s", why);
    result.cpu_seconds = cpu_seconds() - result.cpu_seconds;
    result.seconds = (double) (workload->timed_ns ? *workload->timed_ns : amp_clock_monotonic() - kept.since_ns) / 1e9;
    result.checksum = json_sprintf("%016llx", (unsigned long long) sum);
    kept.on = false;
    result.cycles = kept.list;
    result.n_cycles = kept.n;
    return save(task, &result);
}

static int run(const struct task *task)
{
    static const struct workload *const all[] = { &cache, &queue,    &tree, &server,   &values,
                                                  &ordered, &shuffled, &list, &balanced, &stores,
                                                  &marked,  &fresh,    &loop, &checked,  &churn };
    const char *why;
    uint64_t sum;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, task->workload) == 0)
            workload = all[i];
    if (!workload)
        return amp_complain(2, task->workload, "there is no such workload");
    seed = task->seed;
    kept.list = amp_map(MOST_CYCLES * sizeof *kept.list);
    if (backend_start(workload, task->gogc, task->live_b, &why) ||
        backend_run(1, set_up, task->live_b, &sum, &why))
        return amp_complain(2, backend.name, "%s", why);
    backend_collect();
    return task->graph ? walk_save(workload, task) : measure(task);
}

int main(int argc, char **argv)
{
    struct task task = { 0 };
    json_t *json;
    int status;

    if (argc != 2)
        return amp_complain(2, argv[0], "wants a task as JSON; 'ampersand-gc' starts it");
    json = amp_record_parse(&gc_task_record, argv[1], &task, "task");
    status = json ? run(&task) : 2;
    json_decref(json);
    return status;
}
