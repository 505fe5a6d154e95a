/* SPDX-License-Identifier: MIT */
#include "harness/ab/count.h"

#include "harness/counters/events.h"
#include "harness/measure/heap.h"
#include "harness/run/outcome.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { INSTRUCTIONS = 200000, MOST_OPS = 1000, OPS = 100, MOST_S = 60 };

struct counted {
    const struct amp_ab_kernel *kernel;
    void *fixture;
    uint64_t ops;
};

static const char *const names[AMP_EVENTS] = { "instructions",  "loads",        "stores", "branches",
                                               "branch_misses", "cache_misses" };

static int refuse(const char *kernel, const char *why)
{
    json_t *line = json_pack("{s:s, s:s}", "kernel", kernel, "refused", why);

    if (line)
        json_dumpf(line, stdout, JSON_COMPACT);
    json_decref(line);
    puts("");
    return 0;
}

/* Not inlined: what surrounds the kernel must be the same code for N as for 2 N operations, or it is counted. */
static AMP_NOINLINE int execute(const struct counted *counted, uint64_t ops, struct amp_events *out)
{
    uint64_t checksum;

    amp_events_begin();
    checksum = counted->kernel->run(counted->fixture, ops);
    amp_keep(&checksum);
    return amp_events_end("ab", out);
}

/* By the instructions of the second operation: what is done only once is over. Done also where the number is known:
 * each side must have done the same before it is counted, or a collector of its own is at another point of its work. */
static int choose_ops(struct counted *counted)
{
    struct amp_events one;
    int err = execute(counted, 1, &one);

    if (!err)
        err = execute(counted, 1, &one);
    if (err || counted->ops > 0)
        return err;
    counted->ops = one.n[AMP_INSTRUCTIONS] > 0 ? (uint64_t) (INSTRUCTIONS / one.n[AMP_INSTRUCTIONS]) : MOST_OPS;
    counted->ops = counted->ops < 1 ? 1 : counted->ops > MOST_OPS ? MOST_OPS : counted->ops;
    return 0;
}

static int count_events(struct counted *counted)
{
    struct amp_events once, twice;
    int err = choose_ops(counted);

    if (!err)
        err = execute(counted, 2 * counted->ops, &once); /* warms it up */
    if (!err)
        err = execute(counted, counted->ops, &once);
    if (!err)
        err = execute(counted, 2 * counted->ops, &twice);
    if (err)
        return refuse(counted->kernel->name, err == -EPROTO ? "valgrind wrote something else than counts"
                                                            : strerror(-err));
    printf("{\"kernel\":\"%s\",\"ops\":%" PRIu64, counted->kernel->name, counted->ops);
    for (int i = 0; i < AMP_EVENTS; i++)
        printf(",\"%s\":%" PRId64, names[i], twice.n[i] - once.n[i]);
    puts("}");
    return 0;
}

static int count_heap(struct counted *counted)
{
    static struct amp_heap heap;
    const char *why = "";
    uint64_t checksum;

    if (amp_heap_available(&why))
        return refuse(counted->kernel->name, why);
    counted->ops = counted->ops > 0 ? counted->ops : OPS;
    checksum = counted->kernel->run(counted->fixture, counted->ops);
    if (amp_heap_begin())
        return refuse(counted->kernel->name, "allocations cannot be counted here");
    checksum += counted->kernel->run(counted->fixture, counted->ops);
    amp_keep(&checksum);
    if (amp_heap_end(&heap))
        return refuse(counted->kernel->name, "allocations cannot be counted here");
    printf("{\"kernel\":\"%s\",\"ops\":%" PRIu64 ",\"allocs\":%" PRIu64 ",\"asked_b\":%" PRIu64
           ",\"granted_b\":%" PRIu64 ",\"peak_b\":%" PRIu64 "}\n",
           counted->kernel->name, counted->ops, heap.allocs, heap.asked_b, heap.granted_b, heap.peak_b);
    return 0;
}

/* In the process of the kernel. */
static int count_one(const struct amp_ab_counting *of, const char *name, uint64_t ops, bool executed)
{
    char why[256] = "";
    struct counted counted = { .kernel = of->load(of->module, name, why, sizeof why), .ops = ops };
    int status;

    alarm(MOST_S);
    if (!counted.kernel)
        return refuse(name, why);
    counted.fixture = counted.kernel->set_up ? counted.kernel->set_up(counted.kernel->size) : NULL;
    status = executed ? count_events(&counted) : count_heap(&counted);
    return fflush(stdout) ? 1 : status;
}

/* Fork, wait, and say if the kernel's process ended before it had counted. */
static int count_apart(const struct amp_ab_counting *of, const char *name, uint64_t ops, bool executed)
{
    const struct amp_tail silent = { .n = 0 };
    struct amp_outcome outcome = { .ending = AMP_DONE };
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        status = count_one(of, name, ops, executed);
        fflush(stdout);
        _exit(status);
    }
    if (child < 0)
        return amp_complain(2, name, "%s", strerror(errno));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    amp_outcome_describe(NULL, 0, status, &silent, &outcome);
    if (outcome.ending == AMP_DONE)
        return 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(outcome.detail, sizeof outcome.detail, "it took more than %d s", MOST_S);
    return refuse(name, outcome.detail);
}

int amp_ab_count(const struct amp_ab_counting *of, const char *list)
{
    FILE *file = fopen(list, "re");
    bool executed = amp_events_open(&amp_events_linux) == AMP_VALGRIND; /* exact, as a processor's counters are not */
    char name[256];
    uint64_t ops;
    int status = 0;

    if (!file)
        return amp_complain(2, list, "%s", strerror(errno));
    while (!status && fscanf(file, "%255s %" SCNu64, name, &ops) == 2)
        status = count_apart(of, name, ops, executed);
    fclose(file);
    return status;
}
