/* SPDX-License-Identifier: MIT */
#include "harness/measure/blocks.h"

#include "harness/measure/sensor.h"

#include <errno.h>
#include <string.h>

#define LEAST_PATIENCE_NS 20000000u
#define STACK_SHIFT_B 4096 /* a page: beyond it, addresses look the same to caches and store buffers */

static uint64_t read_sensor(const struct amp_blocks *blocks, amp_clock now)
{
    return blocks->others > 0 ? amp_sensor_read_beside(blocks->others) : amp_sensor_read(now);
}

/* What an attempt at block i measured, if it is the first or the quietest. */
static void keep(struct amp_blocks *blocks, size_t i, const struct amp_block *attempt, uint64_t sensor_ns)
{
    if (blocks->attempts[i]++ > 0 && sensor_ns >= blocks->sensor_ns[i])
        return;
    blocks->sensor_ns[i] = sensor_ns;
    blocks->shifts_b[i] = attempt->stack_shift_b;
    for (int side = 0; side < 2; side++)
        memcpy(blocks->ns[side] + i * blocks->rounds, attempt->ns[side], blocks->rounds * sizeof *attempt->ns[side]);
}

static int run_one(struct amp_blocks *blocks, amp_clock now, size_t i, uint64_t *random)
{
    size_t beyond = blocks->n * blocks->rounds;
    struct amp_block block = {
        .ns = { blocks->ns[0] + beyond, blocks->ns[1] + beyond },
        .rounds = blocks->rounds,
        .ops = blocks->ops,
        .warmup_ops = blocks->warmup_ops,
        .stack_shift_b = amp_random_next(random) % (STACK_SHIFT_B / 16) * 16,
    };
    uint64_t before_ns = read_sensor(blocks, now), after_ns;
    int err = 0;

    if (blocks->run) {
        err = blocks->run(blocks->context, i, &block, random);
    } else {
        struct amp_kernel sides[2];

        blocks->kernels(blocks->context, i, sides);
        AMP_TRACE_BEGIN("block");
        amp_rounds_run(now, blocks->cost_ns, sides, &block, random);
        AMP_TRACE_END("block");
    }
    if (err)
        return err;
    after_ns = read_sensor(blocks, now);
    if (block.checksum[0] != block.checksum[1]) {
        memcpy(blocks->checksum, block.checksum, sizeof block.checksum);
        return -EILSEQ;
    }
    keep(blocks, i, &block, before_ns > after_ns ? before_ns : after_ns);
    return 0;
}

int amp_blocks_run(struct amp_blocks *blocks, amp_clock now, uint64_t *random)
{
    uint64_t begin_ns = now(), end_ns = UINT64_MAX;
    size_t disturbed = blocks->n;

    memset(blocks->attempts, 0, blocks->n * sizeof *blocks->attempts);
    for (bool first = true; first || (disturbed > 0 && now() < end_ns); first = false) {
        disturbed = 0;
        for (size_t i = 0; i < blocks->n && (first || now() < end_ns); i++) {
            int err = first || !amp_sensor_is_quiet(blocks->sensor_ns[i], blocks->quiet_ns)
                          ? run_one(blocks, now, i, random)
                          : 0;

            if (err)
                return err;
            disturbed += !amp_sensor_is_quiet(blocks->sensor_ns[i], blocks->quiet_ns);
        }
        if (first) {
            uint64_t now_ns = now(), passed_ns = now_ns - begin_ns;

            end_ns = now_ns + (passed_ns > LEAST_PATIENCE_NS ? passed_ns : LEAST_PATIENCE_NS);
        }
    }
    return 0;
}
