/* SPDX-License-Identifier: MIT
 *
 * The loop over the jobs of a run, from the first line of the journal to the last. For run.c and unit tests. */
#ifndef AMP_LOOP_H
#define AMP_LOOP_H

#include "harness/files/journal.h"
#include "harness/run/job.h"
#include "harness/run/progress.h"
#include "harness/run/quiet_wait.h"

struct amp_loop {
    const struct amp_run_verb *verb;
    void *run; /* the verb's */
    const char *dir;
    struct amp_jobs jobs;
    struct amp_journal *journal;
    struct amp_progress progress;
    struct amp_quiet_wait quiet_wait;
    size_t failed; /* groups; those that nobody asked for by name do not count */
    /* amp_process_run() outside tests */
    int (*start)(const struct amp_process *const *processes, size_t n, size_t at_once, struct amp_outcome *out);
};

/* Find the jobs that have a result already. Call it first. */
void amp_loop_begin(struct amp_loop *loop);

/* Do all other jobs; returns the exit status of the run. */
int amp_loop_run(struct amp_loop *loop);

/* Say that the disk or the system has failed, not a job; returns AMP_RUN_UNUSABLE. */
int amp_loop_give_up(struct amp_loop *loop, int err);

/* Write how many jobs were finished, for the last line of an unfinished run. */
void amp_loop_kept(const struct amp_loop *loop, char *out, size_t cap);

#endif
