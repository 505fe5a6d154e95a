/* SPDX-License-Identifier: MIT
 *
 * The jobs of a run of pairs, in their order and with their random draws. All of it follows from the rows, the settings
 * and the seed; what is drawn for a job depends on the seed and on what the job is, not on its place in the plan. So a run
 * that is resumed, or gets more launches, draws the same again. */
#ifndef AMP_PLAN_H
#define AMP_PLAN_H

#include "harness/bench/options.h"
#include "harness/lesson/pair.h"
#include "harness/run/job.h"

enum amp_kind { AMP_KIND_PAIRED, AMP_KIND_COUNTS, AMP_KIND_SOLO, AMP_KINDS };

/* As in the journal and in a child's task: "paired", "counts", "solo". */
const char *amp_kind_name(enum amp_kind kind);

#define AMP_CONFIGURATION "default" /* the allocator as the environment configures it */

/* The rows of a run, borrowed from the registry. */
struct amp_rows {
    const struct amp_row **row;
    size_t n;
};

/* The registry's rows whose names match a POSIX extended regular expression (NULL: all). -EINVAL if it is none,
 * with *why (static storage); -ENOENT if no row matches. */
int amp_rows_match(const struct amp_registry *registry, const char *filter, struct amp_rows *out, const char **why);
/* Take out the rows of pairs with threads, whose threads would take turns on one CPU. Returns how many; *first is one of
 * them. */
size_t amp_rows_leave_out_threads(struct amp_rows *rows, const struct amp_row **first);
void amp_rows_free(struct amp_rows *rows);

/* What all jobs of a run share. */
struct amp_plan {
    struct amp_launch_options options;
    const char *dir;
    struct amp_rows rows;
    unsigned *layouts; /* how many modules each row's lesson was linked into */
    int cpu;           /* for pairs without threads; -1: there is only one */
};

/* The first launches of all rows, in random order. */
void amp_plan_make(const struct amp_plan *plan, struct amp_jobs *jobs);

/* Append, in random order, the paired launches of the chosen rows from number launches[row] to below `to`. */
void amp_plan_extend(const struct amp_plan *plan, const bool *chosen, const unsigned *launches, unsigned to,
                     struct amp_jobs *jobs);

/* What the disk must have free for the results, in bytes; rather too much than too little. */
uint64_t amp_plan_need_b(const struct amp_plan *plan);

#endif
