/* SPDX-License-Identifier: MIT
 *
 * Further launches of a run that was begun with --precision. The first n launches of every row, and then some rows' in
 * blocks: each block doubles their number, and which rows are in it is for the caller to say, who has judged the run.
 * How many blocks there may be is fixed when the run begins and stands in its manifest; which there were stands in the
 * journal. Functions return 0 or a negative errno with *why (static storage). */
#ifndef AMP_LOOKS_H
#define AMP_LOOKS_H

#include "harness/bench/plan.h"

/* How often a run with --precision may be judged: after the first launches, and after each block. */
#define AMP_LOOKS 5

struct amp_looks {
    unsigned *launches; /* of each row, planned by now */
    bool *chosen;       /* rows of the block that is being asked for */
    unsigned blocks;    /* begun by now */
    uint64_t spent_ms;  /* of the budget, by children of the blocks that have ended */
};

/* How many launches a row has that is in the first `block` blocks; 0: the first launches. */
unsigned amp_looks_launches(const struct amp_launch_options *options, unsigned block);

/* Whether a job is one of a block, which the budget is for, and not one of the first launches. */
bool amp_looks_has(const struct amp_launch_options *options, const struct amp_job *job);
bool amp_looks_is_spent(const struct amp_looks *looks, const struct amp_launch_options *options);

/* A duration as the journal keeps it, so that whoever adds up the journal's finds the same sum. */
uint64_t amp_looks_ms(double seconds);

/* Read the run's journal: append the jobs of every block, and add up what they took. Without --precision there is nothing
 * to read.
 * errors   -EPROTO for a block that this run cannot have */
int amp_looks_read(const char *journal, const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *out,
                   const char **why);

/* One block more, for the rows whose names stand in the file options.rows, one a line.
 * errors   -EINVAL for a file that names no row, or none of this run, and where the run cannot have a block more */
int amp_looks_ask(const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *looks, const char **why);

/* The journal's keys of the block that was asked for: launches, rows. A new reference, or NULL. */
json_t *amp_looks_event(const struct amp_rows *rows, const struct amp_launch_options *options,
                            const struct amp_looks *looks);

void amp_looks_free(struct amp_looks *looks);

#endif
