/* SPDX-License-Identifier: MIT */
#include "harness/counters/count.h"

#include "harness/counters/events.h"
#include "harness/files/results.h"
#include "harness/lesson/layout.h"
#include "harness/run/outcome.h"
#include "harness/text/complain.h"

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* An operation costs about a hundredfold under callgrind. Slow ones are counted fewer times: so many that a side
 * executes about this many instructions. By instructions, not by time, so that it is the same number each time. */
#define INSTRUCTIONS 200000
#define MOST_OPS 1000
/* A row that hangs is given up: after so much CPU time, as a busy machine is slow, or after so much time if it waits. */
#define MOST_CPU_S 60
#define MOST_S 500

/* The stack begins below the arguments and the environment, whose length differs: move it to a multiple of this, so
 * that the same addresses fall into the same sets of the cache each time. */
#define STACK_B ((uintptr_t) 1 << 18)

static const char *const names[AMP_EVENTS] = { "instructions",  "loads",        "stores", "branches",
                                               "branch_misses", "cache_misses" };

struct side {
    const struct amp_side *side;
    void *fixture;
    struct amp_events events; /* of N operations */
};

/* Not inlined: what surrounds the kernel must be the same code for N as for 2 N operations, or it is counted. */
static AMP_NOINLINE int count(const struct side *side, uint64_t ops, const char *dump, struct amp_events *out)
{
    uint64_t checksum;

    amp_events_begin();
    checksum = side->side->run(side->fixture, ops);
    amp_keep(&checksum);
    return amp_events_end(dump, out);
}

/* The instructions of one operation, of the second: what is done only once is over. */
static int measure_one(const struct side *side, const char *dump, int64_t *instructions)
{
    struct amp_events events;
    int err = count(side, 1, dump, &events);

    if (!err)
        err = count(side, 1, dump, &events);
    if (!err && events.n[AMP_INSTRUCTIONS] > *instructions)
        *instructions = events.n[AMP_INSTRUCTIONS];
    return err;
}

static int count_side(struct side *side, uint64_t ops, const char *dump)
{
    struct amp_events once, twice;
    int err = count(side, 2 * ops, dump, &once); /* warms it up */

    if (!err)
        err = count(side, ops, dump, &once);
    if (!err)
        err = count(side, 2 * ops, dump, &twice);
    for (int i = 0; !err && i < AMP_EVENTS; i++) {
        bool known = once.n[i] != AMP_UNKNOWN && twice.n[i] != AMP_UNKNOWN;

        side->events.n[i] = known ? twice.n[i] - once.n[i] : AMP_UNKNOWN;
        if (known && twice.n[i] < once.n[i]) /* two runs without misses may differ by one or two of them */
            side->events.n[i] = i == AMP_BRANCH_MISSES || i == AMP_CACHE_MISSES ? 0 : AMP_UNKNOWN;
    }
    return err;
}

static json_t *to_json(const struct amp_events *events)
{
    json_t *object = json_object();

    for (int i = 0; i < AMP_EVENTS; i++)
        json_object_set_new(object, names[i],
                            events->n[i] == AMP_UNKNOWN ? json_null() : json_integer((json_int_t) events->n[i]));
    return object;
}

static int put(const char *file, json_t *line)
{
    int err = line ? amp_results_append(file, line) : -ENOMEM;

    json_decref(line);
    return err;
}

/* The line of a row that is not counted. */
static int refuse(const char *file, const char *row, const char *why)
{
    return put(file, json_pack("{s:s, s:s}", "row", row, "refused", why));
}

static int count_row(const struct amp_row *row, const char *name, const char *file, const char *dump)
{
    const struct amp_pair *pair = row->pair;
    struct side value = { &pair->value, amp_side_set_up(&pair->value, row->size), { { 0 } } };
    struct side pointer = { &pair->pointer, amp_side_set_up(&pair->pointer, row->size), { { 0 } } };
    int64_t one = 1;
    uint64_t ops;
    int err = measure_one(&value, dump, &one);

    if (!err)
        err = measure_one(&pointer, dump, &one);
    ops = one < INSTRUCTIONS ? (uint64_t) (INSTRUCTIONS / one) : 1;
    ops = ops < MOST_OPS ? ops : MOST_OPS;
    if (!err)
        err = count_side(&value, ops, dump);
    if (!err)
        err = count_side(&pointer, ops, dump);
    if (err)
        return refuse(file, name, err == -EPROTO ? "valgrind wrote something else than counts" : strerror(-err));
    return put(file, json_pack("{s:s, s:I, s:o, s:o}", "row", name, "ops", (json_int_t) ops, "value",
                               to_json(&value.events), "pointer", to_json(&pointer.events)));
}

/* In the process of the row. */
static int load_and_count(const char *lesson, const char *name, const char *file)
{
    struct amp_registry registry = { .n = 0 };
    const struct amp_row *row;
    const char *why = "";

    if (amp_layout_register(&registry, lesson, 0, &why))
        return refuse(file, name, why);
    row = amp_registry_find(&registry, name);
    if (!row)
        return refuse(file, name, "there is no such row");
    if (row->pair->threads > 0)
        return refuse(file, name, AMP_COUNT_THREADS);
    return count_row(row, name, file, file);
}

/* Wait for the process of a row, and say if it ended without having counted. */
static int wait_for(pid_t child, const char *file, const char *name)
{
    static const struct amp_exit exits[] = AMP_PAIR_EXITS;
    const struct amp_tail silent = { .n = 0 };
    struct amp_outcome outcome = { .ending = AMP_DONE };
    int status;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    amp_outcome_describe(exits, 0, status, &silent, &outcome);
    if (outcome.ending == AMP_DONE)
        return 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(outcome.detail, sizeof outcome.detail, "it took more than %d s", MOST_S);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        snprintf(outcome.detail, sizeof outcome.detail, "it took more than %d s of CPU time", MOST_CPU_S);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGILL)
        snprintf(outcome.detail, sizeof outcome.detail, "valgrind does not know one of its instructions (SIGILL)");
    return refuse(file, name, outcome.detail);
}

static void limit_time(void)
{
    struct rlimit cpu;

    if (getrlimit(RLIMIT_CPU, &cpu) == 0) {
        cpu.rlim_cur = cpu.rlim_max < MOST_CPU_S ? cpu.rlim_max : MOST_CPU_S;
        setrlimit(RLIMIT_CPU, &cpu);
    }
    alarm(MOST_S);
}

/* Nothing here allocates: the heap of a row's process does not depend on how many rows there are. */
static int count_each(const char *file, char *rows)
{
    char *rest = NULL;

    for (char *line = strtok_r(rows, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *name = strchr(line, ' ');
        pid_t child = name ? fork() : -1;
        int err;

        if (name)
            *name++ = '\0';
        if (child == 0) {
            limit_time();
            _exit(load_and_count(line, name, file) != 0);
        }
        err = child < 0 ? -EINVAL : wait_for(child, file, name);
        if (err)
            return amp_complain(2, "counters-child", "%s: %s", line, strerror(-err));
    }
    return 0;
}

static AMP_NOINLINE int count_below(uintptr_t offset_b, const char *file, char *rows)
{
    void *offset = alloca(offset_b);

    amp_keep(offset);
    return count_each(file, rows);
}

int amp_count_child(const char *file)
{
    static char rows[1 << 18]; /* not on the heap, see count_each() */
    char path[64];
    ssize_t length;
    int fd;

    snprintf(path, sizeof path, "%.32s.rows", file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, rows, sizeof rows - 1);
    if (length < 0)
        return amp_complain(2, path, "%s", strerror(errno));
    close(fd);
    if (amp_events_open(&amp_events_linux) == AMP_NO_SOURCE)
        return amp_complain(2, "counters-child", "neither the processor nor valgrind counts");
    return count_below((uintptr_t) __builtin_frame_address(0) % STACK_B + STACK_B, file, rows);
}
