/* SPDX-License-Identifier: MIT
 *
 * The jobs of a run of `ab`. A visit times every layout of a row once, in a few launches. The first visit is of all
 * rows but floors; then the caller judges the run, and names the rows that get more visits. How many visits a row may
 * have at each look is fixed in the manifest; which looks there were is in the journal.
 * Functions return 0 or a negative errno with *why (static storage). */
#ifndef AMP_AB_PLAN_H
#define AMP_AB_PLAN_H

#include "harness/ab/launch/task.h"
#include "harness/run/job.h"

enum { AMP_AB_LOOKS = 12, AMP_AB_PARTS = 4 }; /* a visit is so many launches */

#define AMP_AB_CONFIGURATION "default" /* the allocator that the sides' programs have */

struct amp_ab_settings {
    uint64_t seed, epoch_ns, quiet_ns, long_times;
    uint64_t rounds_per_block, long_rounds;
    unsigned layouts, timeout_s;
    bool no_wait, programs, results_differ;
    const char *modules;
    unsigned looks[AMP_AB_LOOKS]; /* visits after each */
    size_t n_looks;
};
extern const struct amp_record amp_ab_settings_record;

struct amp_ab_row {
    const char *name; /* of the row: the kernel, or <kernel>/floor */
    char *kernel;
    bool floor;
    unsigned visits; /* so far */
    bool chosen;     /* for the new look */
};

struct amp_ab_plan {
    struct amp_ab_settings settings;
    const char *dir, *rows_file; /* NULL: no new look */
    char launcher[4096];
    struct amp_ab_row *rows;
    size_t n_rows;
    unsigned looks; /* begun so far, beyond the first visit */
    int cpu;
};

/* Take the rows from the manifest, which must outlive the plan. */
int amp_ab_plan_rows(struct amp_ab_plan *plan, const json_t *manifest, const char **why);

/* The first visits, and those that the journal tells of. */
int amp_ab_plan_jobs(struct amp_ab_plan *plan, struct amp_jobs *jobs, const char **why);

/* Add the next visits of the rows that plan->rows_file names, one a line. */
int amp_ab_plan_look(struct amp_ab_plan *plan, struct amp_jobs *jobs, const char **why);

/* The journal's keys for that: launches, rows. A new reference, or NULL. */
json_t *amp_ab_plan_event(const struct amp_ab_plan *plan);

uint64_t amp_ab_plan_need_b(const struct amp_ab_plan *plan);
void amp_ab_plan_free(struct amp_ab_plan *plan);

#endif
