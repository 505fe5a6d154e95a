/* SPDX-License-Identifier: MIT
 *
 * More launches for a run with --precision. After the first launches of every row, some rows get more, in blocks: each
 * block doubles their number. The caller judges the run and names the rows of each block. How many blocks there may be
 * is fixed in the manifest when the run begins; which blocks there were is in the journal. Functions return 0 or a
 * negative errno with *why (static storage). */
#ifndef AMP_LOOKS_H
#define AMP_LOOKS_H

#include "harness/bench/plan.h"

/* How often a run with --precision may be judged: after the first launches, and after each block. */
#define AMP_LOOKS 5

struct amp_looks {
    unsigned *launches; /* how many each row has, with all blocks so far */
    bool *chosen;       /* the rows of the new block */
    unsigned blocks;    /* begun so far */
    uint64_t spent_ms;  /* of the budget, by finished children of blocks */
};

/* How many launches a row has after `block` blocks; after 0 blocks the first launches. */
unsigned amp_looks_launches(const struct amp_launch_options *options, unsigned block);

/* Whether a job belongs to a block, and not to the first launches. The budget is for blocks only. */
bool amp_looks_has(const struct amp_launch_options *options, const struct amp_job *job);
bool amp_looks_is_spent(const struct amp_looks *looks, const struct amp_launch_options *options);

/* A duration in the journal's precision, so that a reader who adds up the journal gets the same sum. */
uint64_t amp_looks_ms(double seconds);

/* Read the run's journal: append the jobs of every block, and add up the time that they took. Without --precision there
 * is nothing to read.
 * errors   -EPROTO for a block that this run cannot have */
int amp_looks_read(const char *journal, const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *out,
                   const char **why);

/* Add a block for the rows that the file options.rows names, one a line.
 * errors   -EINVAL if the file names no row, or none of this run, or if the run cannot have another block */
int amp_looks_ask(const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *looks, const char **why);

/* The journal's keys for the new block: launches, rows. A new reference, or NULL. */
json_t *amp_looks_event(const struct amp_rows *rows, const struct amp_launch_options *options,
                        const struct amp_looks *looks);

void amp_looks_free(struct amp_looks *looks);

#endif
