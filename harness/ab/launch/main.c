/* SPDX-License-Identifier: MIT
 *
 * ampersand-ab-launch TASK: time some layouts of one kernel, and write the rounds into a file. It links no allocator:
 * the sides have the one that their programs would have. */
#include "harness/ab/launch/block.h"
#include "harness/measure/blocks.h"
#include "harness/run/process.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

enum { MIN_ROUNDS = 4, SAME_PAGES = 4, LARGE_B = 8 << 20 }; /* large: an exchange of pages takes milliseconds */

struct launch {
    struct amp_ab_task task;
    struct amp_ab_duel duel;
    struct amp_clock_facts clock;
    struct amp_ab_found found;
    uint64_t random;
    size_t short_rounds, long_rounds; /* of a block */
    struct amp_blocks blocks;
    uint64_t same; /* blocks in which code and fixtures had the same addresses on both sides */
    size_t n_rounds; /* of all blocks */
    double seconds;
};

#define FIELD(member, ...) AMP_FIELD(struct launch, member, __VA_ARGS__)
#define PER_BLOCK(key, member, ...) AMP_LIST_AS(key, struct launch, member, blocks.n, __VA_ARGS__)
#define PER_ROUND(key, member) AMP_LIST_AS(key, struct launch, member, n_rounds)
const struct amp_record amp_ab_launch_record = {
    AMP_FIELDS(AMP_INNER("", struct launch, task, &amp_ab_task_identity),
               AMP_GROUP("clock", AMP_OF(FIELD(clock.cost_ns), FIELD(clock.resolution_ns))),
               FIELD(task.epoch_ns), FIELD(task.quiet_ns), FIELD(found.ops), FIELD(found.memory_b),
               FIELD(short_rounds), FIELD(long_rounds), FIELD(task.long_times), FIELD(same),
               AMP_GROUP("blocks",
                         AMP_OF(AMP_LIST_AS("layout", struct launch, task.layouts, task.n_layouts),
                                PER_BLOCK("stack_shift_b", blocks.shifts_b),
                                PER_BLOCK("sensor_ns", blocks.sensor_ns), PER_BLOCK("attempts", blocks.attempts))),
               PER_ROUND("base_ns", blocks.ns[AMP_AB_BASE]), PER_ROUND("head_ns", blocks.ns[AMP_AB_HEAD]),
               FIELD(seconds)),
    .schema = "ampersand/ab-launch/1",
};

/* Both sides on one CPU, also where the task names none. */
static void stay(int cpu)
{
    cpu_set_t set;
    int here = cpu < 0 ? sched_getcpu() : cpu;

    if (here < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t) here, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static int disagree(const struct launch *launch, const char *when, uint64_t base, uint64_t head)
{
    return amp_complain(AMP_AB_EXIT_DISAGREE, launch->task.kernel,
                        "the results differ %s: base 0x%016" PRIx64 ", head 0x%016" PRIx64, when, base, head);
}

static int find_out(struct launch *launch)
{
    struct amp_ab_found *found = &launch->found;
    uint64_t epoch_ns = launch->task.epoch_ns;
    int err;

    if (amp_clock_measure(amp_clock_monotonic, &launch->clock))
        return amp_complain(2, "clock", "it goes backwards or steps by more than a microsecond");
    launch->duel.cost_ns = launch->clock.cost_ns;
    err = amp_ab_block_first(&launch->duel, &launch->random, found);
    if (err)
        return err == -ECHILD ? AMP_AB_EXIT_SIDE : amp_complain(2, launch->task.kernel, "%s", strerror(-err));
    if (found->agreed[0] != found->agreed[1] && !launch->task.results_differ)
        return disagree(launch, "after few operations", found->agreed[0], found->agreed[1]);
    launch->duel.same_pages = found->memory_b < LARGE_B ? SAME_PAGES : launch->task.rounds_per_block / 4 * 2;
    launch->short_rounds = launch->task.rounds_per_block;
    launch->long_rounds = launch->task.long_rounds;
    if (found->epoch_ns > 2 * epoch_ns) { /* an operation is long: fewer rounds, or the launch would take minutes */
        launch->short_rounds = launch->short_rounds * 2 * epoch_ns / found->epoch_ns & ~(size_t) 1;
        launch->short_rounds = launch->short_rounds < MIN_ROUNDS ? MIN_ROUNDS : launch->short_rounds;
    }
    if (found->epoch_ns > epoch_ns * (launch->task.long_times + 1) / 2)
        launch->long_rounds = 0;
    return 0;
}

static int run_block(const void *context, size_t i, struct amp_block *out, uint64_t *random)
{
    struct launch *launch = (struct launch *) (uintptr_t) context;
    const struct amp_ab_turns *turns = launch->duel.turns;
    int err = amp_ab_block_run(&launch->duel, launch->task.layouts[i], launch->long_rounds, out, random);

    launch->same += turns->fixture[0] == turns->fixture[1] && turns->code[0] == turns->code[1];
    return err;
}

static int make_room(struct amp_blocks *blocks)
{
    blocks->shifts_b = calloc(blocks->n, sizeof *blocks->shifts_b);
    blocks->sensor_ns = calloc(blocks->n, sizeof *blocks->sensor_ns);
    blocks->attempts = calloc(blocks->n, sizeof *blocks->attempts);
    for (int side = 0; side < 2; side++) {
        blocks->ns[side] = calloc((blocks->n + 1) * blocks->rounds, sizeof *blocks->ns[side]);
        if (!blocks->ns[side])
            return -ENOMEM;
    }
    return blocks->shifts_b && blocks->sensor_ns && blocks->attempts ? 0 : -ENOMEM;
}

static int time_all(struct launch *launch)
{
    struct amp_blocks *blocks = &launch->blocks;
    int err;

    blocks->n = launch->task.n_layouts;
    blocks->rounds = launch->short_rounds + launch->long_rounds;
    blocks->ops = launch->found.ops;
    blocks->warmup_ops = blocks->ops / 8 + 1;
    blocks->quiet_ns = launch->task.quiet_ns;
    blocks->cost_ns = launch->clock.cost_ns;
    blocks->run = run_block;
    blocks->context = launch;
    launch->n_rounds = blocks->n * blocks->rounds;
    err = make_room(blocks);
    if (!err)
        err = amp_blocks_run(blocks, amp_clock_monotonic, &launch->random);
    if (err == -EILSEQ)
        return disagree(launch, "after an epoch", blocks->checksum[0], blocks->checksum[1]);
    if (err == -ECHILD)
        return AMP_AB_EXIT_SIDE;
    return err ? amp_complain(2, launch->task.kernel, "%s", strerror(-err)) : 0;
}

static void clear_up(struct launch *launch)
{
    struct amp_blocks *blocks = &launch->blocks;

    free(blocks->ns[0]);
    free(blocks->ns[1]);
    free(blocks->shifts_b);
    free(blocks->sensor_ns);
    free(blocks->attempts);
    amp_ab_turns_unmap(launch->duel.turns, launch->duel.fd);
}

static int run(struct launch *launch)
{
    uint64_t begin_ns = amp_clock_monotonic();
    int err = amp_ab_turns_map(&launch->duel.turns, &launch->duel.fd), status;

    if (err)
        return amp_complain(2, launch->task.kernel, "no memory to share: %s", strerror(-err));
    stay(launch->task.cpu);
    launch->duel.task = &launch->task;
    launch->random = launch->task.seed;
    status = find_out(launch);
    if (!status)
        status = time_all(launch);
    launch->seconds = (double) (amp_clock_monotonic() - begin_ns) / 1e9;
    if (!status)
        status = amp_record_save(&amp_ab_launch_record, launch, launch->task.file);
    clear_up(launch);
    return status;
}

int main(int argc, char **argv)
{
    struct launch launch = { .task = { .n_layouts = 0 } };
    json_t *json;
    int status;

    if (argc != 2)
        return amp_complain(2, "ampersand-ab-launch", "takes one argument, a task: './ampersand ab' starts it");
    if (amp_process_pin())
        return amp_complain(2, "AMPERSAND_CPU", "it names no CPU that this process can be pinned to");
    json = amp_record_parse(&amp_ab_task_record, argv[1], &launch.task, "task");
    if (!json)
        return 2;
    status = launch.task.n_layouts > 0 ? run(&launch) : amp_complain(2, "task", "it has no layouts");
    json_decref(json);
    return status;
}
