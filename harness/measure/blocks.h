/* SPDX-License-Identifier: MIT
 *
 * Measure blocks of rounds, and repeat those during which the core was not quiet (sensor.h).
 *
 *     first pass     . . x x x . . . . x .      x: something else was on the core before or after the block
 *     second pass        . x .         .        later, since neighbours stay for milliseconds
 *     third pass           .
 *
 * Of each block the attempt with the lowest reading is kept. Passes go on while a block is disturbed and there is time
 * left: as much as the first pass took, but at least 20 ms. Then blocks stay as they are; their readings are in the
 * result.
 *
 * Why this rule: neighbours were simulated that come and go in stretches of 2 to 20 ms. Repeating a block at once, at
 * most eight times, leaves two to ten times as many blocks disturbed in about the same time, since the neighbour is
 * still there. Half of the time saves up to a quarter of the run and leaves twice as many blocks disturbed. On a busy
 * machine with 16 layouts it left 1.1 % of the blocks disturbed, this rule none. */
#ifndef AMP_BLOCKS_H
#define AMP_BLOCKS_H

#include "harness/measure/rounds.h"

#include <stdbool.h>

struct amp_blocks {
    size_t n, rounds; /* of each */
    uint64_t ops, warmup_ops, quiet_ns;
    double cost_ns;  /* of the clock */
    unsigned others; /* how many threads the kernels start */
    void (*kernels)(const void *context, size_t block, struct amp_kernel out[2]);
    /* Time the rounds of a block in another way than amp_rounds_run(), and fill in the same; NULL: by that, with the
     * kernels from above. 0 or a negative errno, which ends all. */
    int (*run)(const void *context, size_t block, struct amp_block *out, uint64_t *random);
    const void *context;

    /* The caller's memory, which is filled: */
    uint64_t *ns[2];     /* [side][block * rounds + round]; with room for one more block, for attempts */
    uint64_t *sensor_ns; /* [block], the higher reading of before and after it */
    size_t *shifts_b;    /* [block], by which the stack was lowered */
    unsigned *attempts;  /* [block] */
    uint64_t checksum[2]; /* of the block after which the sides disagree */
};

/* Measure all blocks. `random` is advanced. 0, or -EILSEQ if the checksums of the sides differ, or the error of
 * `run`. */
int amp_blocks_run(struct amp_blocks *blocks, amp_clock now, uint64_t *random);

#endif
