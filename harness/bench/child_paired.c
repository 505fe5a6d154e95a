/* SPDX-License-Identifier: MIT
 *
 * A launch: every layout's block, in random order (measure/blocks.h). */
#include "harness/bench/child.h"

#include "harness/lesson/modules.h"
#include "harness/measure/blocks.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

enum { VALUE, POINTER };

#define MIN_ROUNDS 4
/* Where a side takes so many times as long as the other, two thirds of the rounds are enough. In two runs on a quiet
 * machine they moved no verdict of a row beyond 1.1. Beyond 1.5 they moved no ratio by more than 0.3 %, and widened
 * intervals by 1 % (the median of 149 rows). */
#define FAR 1.25

struct paired {
    const struct amp_task *task;
    void *fixtures[2];
    struct amp_modules modules; /* one of each layout */
    struct amp_clock_facts clock;
    uint64_t random;
    struct amp_blocks blocks;
    unsigned *layouts; /* of each block */
    size_t n_rounds; /* of all blocks */
    uint64_t zero_rounds;
    double seconds;
    long page_faults, involuntary_switches;
};

#define FIELD(member, ...) AMP_FIELD(struct paired, member, __VA_ARGS__)
#define ASKED(member) AMP_FIELD(struct amp_task, member, .least = 1)
#define PER_BLOCK(key, member, ...) AMP_LIST_AS(key, struct paired, member, blocks.n, __VA_ARGS__)
#define PER_ROUND(key, member) AMP_LIST_AS(key, struct paired, member, n_rounds)
const struct amp_record amp_launch_record = {
    AMP_FIELDS(AMP_BEHIND("", struct paired, task, &amp_task_identity),
               AMP_GROUP("clock", AMP_OF(FIELD(clock.cost_ns), FIELD(clock.resolution_ns))),
               AMP_BEHIND("", struct paired, task, AMP_OF(ASKED(epoch_ns), ASKED(quiet_ns))),
               FIELD(blocks.ops, .least = 1),
               FIELD(blocks.warmup_ops), AMP_FIELD_AS("rounds_per_block", struct paired, blocks.rounds, .least = 1),
               AMP_GROUP("blocks",
                         AMP_OF(PER_BLOCK("value_layout", layouts), PER_BLOCK("pointer_layout", layouts),
                                PER_BLOCK("stack_shift_b", blocks.shifts_b),
                                PER_BLOCK("sensor_ns", blocks.sensor_ns, .least = 1),
                                PER_BLOCK("attempts", blocks.attempts, .least = 1))),
               PER_ROUND("value_ns", blocks.ns[VALUE]), PER_ROUND("pointer_ns", blocks.ns[POINTER]), FIELD(zero_rounds),
               FIELD(seconds), FIELD(page_faults), FIELD(involuntary_switches)),
    .schema = "ampersand/launch/1",
};

static int load_layouts(struct paired *p)
{
    const char *why = "";

    if (amp_modules_load(p->task->row, NULL, 0, &p->modules, &why))
        return amp_complain(2, p->task->row->lesson, "%s", why);
    return 0;
}

static void kernels_of(const void *context, size_t block, struct amp_kernel out[2])
{
    const struct paired *p = context;

    amp_modules_kernels(&p->modules, p->task->row, p->layouts[block], block, p->fixtures, out);
}

/* Of each side, the fastest of three epochs. */
static void measure_epochs(const struct amp_kernel sides[2], uint64_t ops, uint64_t least[2])
{
    least[VALUE] = least[POINTER] = UINT64_MAX;
    for (int i = 0; i < 6; i++) {
        uint64_t begin = amp_clock_monotonic(), checksum = sides[i % 2].run(sides[i % 2].fixture, ops), ns;

        amp_keep(&checksum);
        ns = amp_clock_monotonic() - begin;
        least[i % 2] = ns < least[i % 2] ? ns : least[i % 2];
    }
}

static bool are_far(const uint64_t ns[2])
{
    return (double) ns[VALUE] >= FAR * (double) ns[POINTER] || (double) ns[POINTER] >= FAR * (double) ns[VALUE];
}

static int plan_rounds(struct paired *p)
{
    const struct amp_task *task = p->task;
    uint64_t epoch_ns = task->epoch_ns, actual_ns, least[2];
    struct amp_kernel sides[2];

    kernels_of(p, 0, sides);
    if (amp_clock_measure(amp_clock_monotonic, &p->clock))
        return amp_complain(2, "clock", "it goes backwards or steps by more than a microsecond");
    if (amp_rounds_calibrate(amp_clock_monotonic, sides, epoch_ns, &p->blocks.ops))
        return amp_complain(2, task->name, "no number of operations fills an epoch");
    p->blocks.warmup_ops = p->blocks.ops / 8 + 1;
    measure_epochs(sides, p->blocks.ops, least);
    actual_ns = least[VALUE] / 2 + least[POINTER] / 2;
    p->blocks.rounds = are_far(least) ? task->rounds_per_block * 2 / 3 : task->rounds_per_block;
    /* If a single operation is long, or one side much slower, an epoch is longer than planned: then do fewer rounds, or
     * the launch would take minutes. */
    if (actual_ns > 2 * epoch_ns)
        p->blocks.rounds = p->blocks.rounds * 2 * epoch_ns / actual_ns;
    p->blocks.rounds = p->blocks.rounds < MIN_ROUNDS ? MIN_ROUNDS : p->blocks.rounds & ~(size_t) 1;
    if (p->blocks.rounds > task->rounds_per_block)
        p->blocks.rounds = task->rounds_per_block;
    return 0;
}

/* Every layout once, in random order; or the only one that was asked for. */
static int plan_blocks(struct paired *p)
{
    int only = p->task->layout;

    p->blocks.n = only < 0 ? p->modules.n : 1;
    p->layouts = calloc(p->modules.n, sizeof *p->layouts);
    p->blocks.shifts_b = calloc(p->modules.n, sizeof *p->blocks.shifts_b);
    p->blocks.sensor_ns = calloc(p->modules.n, sizeof *p->blocks.sensor_ns);
    p->blocks.attempts = calloc(p->modules.n, sizeof *p->blocks.attempts);
    if (!p->layouts || !p->blocks.shifts_b || !p->blocks.sensor_ns || !p->blocks.attempts)
        return amp_complain(2, p->task->name, "%s", strerror(ENOMEM));
    if (only >= (int) p->modules.n)
        return amp_complain(2, "--layout", "there are not so many layouts");
    for (unsigned i = 0; i < p->modules.n; i++)
        p->layouts[i] = only < 0 ? i : (unsigned) only;
    if (only < 0)
        amp_random_shuffle(p->layouts, p->modules.n, sizeof *p->layouts, &p->random);
    return 0;
}

static int run_blocks(struct paired *p)
{
    struct amp_blocks *blocks = &p->blocks;

    p->n_rounds = blocks->n * blocks->rounds;
    for (int side = VALUE; side <= POINTER; side++) {
        blocks->ns[side] = calloc((blocks->n + 1) * blocks->rounds, sizeof *blocks->ns[side]);
        if (!blocks->ns[side])
            return amp_complain(2, p->task->name, "%s", strerror(ENOMEM));
    }
    blocks->quiet_ns = p->task->quiet_ns;
    blocks->cost_ns = p->clock.cost_ns;
    blocks->others = p->task->row->pair->threads;
    blocks->kernels = kernels_of;
    blocks->context = p;
    if (amp_blocks_run(blocks, amp_clock_monotonic, &p->random))
        return amp_child_disagree(p->task, blocks->rounds * (blocks->ops + blocks->warmup_ops),
                                  blocks->checksum[VALUE], blocks->checksum[POINTER]);
    return 0;
}

/* How many rounds have a side that was too short for the clock. */
static uint64_t count_zeros(const struct paired *p)
{
    uint64_t n = 0;

    for (size_t i = 0; i < p->n_rounds; i++)
        n += p->blocks.ns[VALUE][i] == 0 || p->blocks.ns[POINTER][i] == 0;
    return n;
}

static int write_launch(struct paired *p, const struct timespec *begin)
{
    struct timespec end;
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    clock_gettime(CLOCK_MONOTONIC, &end);
    p->zero_rounds = count_zeros(p);
    p->seconds = (double) (end.tv_sec - begin->tv_sec) + (double) (end.tv_nsec - begin->tv_nsec) / 1e9;
    p->page_faults = used.ru_minflt + used.ru_majflt;
    p->involuntary_switches = used.ru_nivcsw;
    return amp_record_save(&amp_launch_record, p, p->task->file);
}

static int run_steps(struct paired *p, const struct timespec *begin)
{
    static int (*const steps[])(struct paired *) = { load_layouts, plan_blocks, plan_rounds, run_blocks };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int status = steps[i](p);

        if (status)
            return status;
    }
    return write_launch(p, begin);
}

int amp_child_paired(const struct amp_task *task)
{
    const struct amp_pair *pair = task->row->pair;
    struct paired p = { .task = task, .random = task->seed };
    struct amp_agreement agreement;
    struct timespec begin;
    int status;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    amp_pair_set_up(pair, task->row->size, amp_random_next(&p.random) << 1 | (task->launch & 1), p.fixtures);
    if (amp_pair_agree_on(pair, p.fixtures[VALUE], p.fixtures[POINTER], amp_clock_monotonic, &agreement))
        status = amp_child_disagree(task, agreement.ops, agreement.value, agreement.pointer);
    else
        status = run_steps(&p, &begin);

    amp_side_tear_down(&pair->pointer, p.fixtures[POINTER]);
    amp_side_tear_down(&pair->value, p.fixtures[VALUE]);
    amp_modules_unload(&p.modules);
    free(p.blocks.ns[VALUE]);
    free(p.blocks.ns[POINTER]);
    free(p.layouts);
    free(p.blocks.shifts_b);
    free(p.blocks.sensor_ns);
    free(p.blocks.attempts);
    return status;
}
