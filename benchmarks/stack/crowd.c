/* SPDX-License-Identifier: MIT
 *
 * Many coroutines at once. Each goes down some calls, gives up its turn there some times, and comes back; most need
 * little stack, and if they are mixed, every 16th needs 12 KiB. */
#include "benchmarks/stack/clock.h"
#include "benchmarks/stack/measure.h"
#include "harness/kernel.h"
#include "harness/stack/stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURNS 8
#define SHALLOW 3
#define DEEP 64

/* With room for what a frame pointer and a stack protector add. */
AMP_GROWS(uint64_t, descend, 224, unsigned n)
{
    char room[160];
    uint64_t sum = n;

    amp_keep(room);
    if (n > 1)
        sum += descend(n - 1);
    else
        for (unsigned i = 0; i < TURNS; i++)
            amp_stack_yield(i);
    amp_keep(room);
    return sum;
}

AMP_GROWS(uint64_t, member, 128, void *arg)
{
    uint64_t sum = descend(*(unsigned *) arg);

    amp_keep(arg);
    return sum;
}

static size_t resident_b(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (!file || fscanf(file, "%*u %lu", &pages) != 1)
        measure_must(-EIO, "/proc/self/statm");
    fclose(file);
    return pages * (size_t) sysconf(_SC_PAGESIZE);
}

static void turn(struct amp_stack **stacks, size_t n, int more)
{
    uint64_t value;

    for (size_t i = 0; i < n; i++)
        if (amp_stack_resume(stacks[i], &value) != more)
            measure_must(-EPROTO, "a coroutine");
}

int measure_crowd(const char *kind, size_t n, int mixed)
{
    const int fixed = strcmp(kind, "fixed") == 0;
    struct amp_stack_policy policy = AMP_STACK_GO;
    struct amp_stack **stacks = malloc(n * sizeof *stacks);
    static unsigned depth[2] = { SHALLOW, DEEP };
    size_t before, waiting;
    uint64_t begin, created, resumed, ended;
    const char *why;

    if (!stacks)
        measure_must(-ENOMEM, "a crowd");
    memset(stacks, 0, n * sizeof *stacks);
    if (fixed)
        policy.start_b = policy.limit_b = 64 << 10;
    before = resident_b();
    begin = clock_ns();
    for (size_t i = 0; i < n; i++) {
        measure_must(amp_stack_create(&policy, &stacks[i], &why), "a coroutine");
        measure_must(amp_stack_start(stacks[i], member, &depth[mixed && i % 16 == 0]), "a coroutine");
    }
    turn(stacks, n, 1);
    created = clock_ns();
    waiting = resident_b();
    for (unsigned i = 1; i < TURNS; i++)
        turn(stacks, n, 1);
    resumed = clock_ns();
    turn(stacks, n, 0);
    for (size_t i = 0; i < n; i++)
        measure_must(amp_stack_destroy(stacks[i]), "a coroutine");
    ended = clock_ns();
    free(stacks);
    printf("{\"kind\": \"%s\", \"n\": %zu, \"mixed\": %s, \"resident_b\": %zu, \"bookkeeping_b\": %d, \"create_ns\": "
           "%.1f, "
           "\"turn_ns\": %.1f, \"end_ns\": %.1f}\n",
           kind, n, mixed ? "true" : "false", waiting - before, AMP_STACK_OBJECT_B,
           (double) (created - begin) / (double) n, (double) (resumed - created) / (double) n / (TURNS - 1),
           (double) (ended - resumed) / (double) n);
    return 0;
}
