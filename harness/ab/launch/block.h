/* SPDX-License-Identifier: MIT
 *
 * One block: two processes, fresh for it, in which the sides of one layout are timed in alternation.
 *
 *     this process --.-- base: module at address A, fixture at B, stack at C
 *                    '-- head: module at address A, fixture at B, stack at C
 *
 * Both are forked from this process, so whatever they do in the same order gets the same addresses. What is drawn for a
 * block (where its heap, its mappings and its stack begin) is drawn here, before, and so falls on both sides alike.
 * Functions return 0 or a negative errno; -ECHILD after a line on stderr that says which side ended, and how. */
#ifndef AMP_AB_BLOCK_H
#define AMP_AB_BLOCK_H

#include "harness/ab/launch/task.h"
#include "harness/ab/launch/turns.h"
#include "harness/measure/rounds.h"

struct amp_ab_duel {
    const struct amp_ab_task *task;
    struct amp_ab_turns *turns;
    int fd;          /* of turns */
    double cost_ns;  /* of the clock */
    size_t same_pages; /* rounds, even, after which code and data get other physical pages */
};

/* What the first block finds: nothing of it is kept as a measurement. */
struct amp_ab_found {
    uint64_t ops;      /* that fill an epoch, in the mean of both sides; the faster side takes at least a 50th of it */
    uint64_t epoch_ns; /* how long that really takes */
    uint64_t agreed[2];
    uint64_t memory_b; /* of the larger fixture */
};
int amp_ab_block_first(const struct amp_ab_duel *duel, uint64_t *random, struct amp_ab_found *out);

/* Time the rounds of a block: the last `long_rounds` of out->rounds are the long ones. */
int amp_ab_block_run(const struct amp_ab_duel *duel, uint64_t layout, size_t long_rounds, struct amp_block *out,
                     uint64_t *random);

#endif
