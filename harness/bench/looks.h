/* SPDX-License-Identifier: MIT
 *
 * More launches for some rows of a run. After the first launches of every row, some rows get more, in blocks. The
 * caller judges the run and names the rows of each block. Paired launches have blocks in a run with --precision, each
 * of which doubles their number. Solo launches have one, for rows of which the first ones do not tell that the sides
 * leave each other alone: then there are 2.5 times as many. How many blocks of either kind there may be is fixed in the
 * manifest when the run begins; which blocks there were is in the journal. Functions return 0 or a negative errno with
 * *why (static storage). */
#ifndef AMP_LOOKS_H
#define AMP_LOOKS_H

#include "harness/bench/plan.h"

/* How often a run may be judged, after the first launches and after each block: by paired ones in a run with
 * --precision, and by solo ones. */
#define AMP_LOOKS 4
#define AMP_SOLO_LOOKS 2
#define AMP_LOOKS_MOST 8 /* of either kind, in runs that other versions began */

struct amp_looks {
    struct amp_looks_of {
        unsigned *launches; /* how many each row has, with all blocks so far */
        unsigned blocks;    /* begun so far */
    } of[AMP_KINDS];        /* paired and solo */
    bool *chosen;           /* the rows of the new block, */
    enum amp_kind kind;     /* and of what it is */
    uint64_t spent_ms;      /* of the budget, by finished children of paired blocks */
};

/* How many launches of a kind a row has after `block` blocks; after 0 blocks the first launches. */
unsigned amp_looks_launches(const struct amp_launch_options *options, enum amp_kind kind, unsigned block);

/* Whether a job belongs to a paired block, and not to the first launches. The budget is for these only. */
bool amp_looks_has(const struct amp_launch_options *options, const struct amp_job *job);
bool amp_looks_is_spent(const struct amp_looks *looks, const struct amp_launch_options *options);

/* A duration in the journal's precision, so that a reader who adds up the journal gets the same sum. */
uint64_t amp_looks_ms(double seconds);

/* Read the run's journal: append the jobs of every block, and add up the time that they took. Where no block may be
 * there is nothing to read.
 * errors   -EPROTO for a block that this run cannot have */
int amp_looks_read(const char *journal, const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *out,
                   const char **why);

/* Add a block for the rows that the file options.rows or options.solo_rows names, one a line.
 * errors   -EINVAL if the file names no row, or none of this run, or if the run cannot have another block */
int amp_looks_ask(const struct amp_plan *plan, struct amp_jobs *jobs, struct amp_looks *looks, const char **why);

/* The journal's keys for the new block: launches, rows, and of solo launches kind. A new reference, or NULL. */
json_t *amp_looks_event(const struct amp_rows *rows, const struct amp_launch_options *options,
                        const struct amp_looks *looks);

void amp_looks_free(struct amp_looks *looks);

#endif
