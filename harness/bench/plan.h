/* SPDX-License-Identifier: MIT
 *
 * The jobs of a run of pairs, their order and their random draws. All of it follows from the rows, the settings and the
 * seed. The draws of a job depend on the seed and on the job, not on its place in the plan: so a run that is resumed,
 * or gets more launches, draws the same again. */
#ifndef AMP_PLAN_H
#define AMP_PLAN_H

#include "harness/bench/options.h"
#include "harness/lesson/rows.h"
#include "harness/run/job.h"

enum amp_kind { AMP_KIND_PAIRED, AMP_KIND_COUNTS, AMP_KIND_SOLO, AMP_KINDS };

/* Its name in the journal and in a child's task: "paired", "counts", "solo". */
const char *amp_kind_name(enum amp_kind kind);

#define AMP_CONFIGURATION "default" /* the allocator as the environment configures it */

/* What all jobs of a run share. */
struct amp_plan {
    struct amp_launch_options options;
    const char *dir;
    struct amp_rows rows;
    unsigned *layouts; /* how many modules the lesson of each row has */
    int cpu;           /* for pairs without threads; -1: there is only one */
};

/* The first launches of all rows, in random order. */
void amp_plan_make(const struct amp_plan *plan, struct amp_jobs *jobs);

/* Append, in random order, the launches of a kind of the chosen rows from number launches[row] to below `to`. */
void amp_plan_extend(const struct amp_plan *plan, enum amp_kind kind, const bool *chosen, const unsigned *launches,
                     unsigned to, struct amp_jobs *jobs);

/* How many bytes must be free on the disk for the results; rather too many than too few. */
uint64_t amp_plan_need_b(const struct amp_plan *plan);

#endif
