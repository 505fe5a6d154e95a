/* SPDX-License-Identifier: MIT
 *
 * Shows on stderr how far a run is: on a terminal one line that is overwritten, in a pipe a line now and then. */
#ifndef AMP_PROGRESS_H
#define AMP_PROGRESS_H

#include "harness/run/job.h"

struct amp_progress {
    bool terminal;
    size_t total, done, failed; /* children, children, rows (of a matrix: cells) */
    size_t unmeasured;          /* of those that are done, the failed and the skipped */
    size_t tenth;               /* the last tenth of the children for which a line was printed */
    size_t done_at_start;
    struct {
        size_t left, measured;
        double seconds;
    } kinds[AMP_JOB_KINDS]; /* kinds of jobs take different times, so each has its own mean */
};

/* `done` of the total had a result before; left[kind] are still to do. */
void amp_progress_begin(struct amp_progress *progress, size_t done, const size_t left[AMP_JOB_KINDS]);
void amp_progress_child(struct amp_progress *progress, const char *kind, const char *name);

/* A child has ended. Only those that ended well count for the time that is left. */
void amp_progress_ended(struct amp_progress *progress, unsigned kind, bool well, double seconds);

/* A child of a failed row will not run. */
void amp_progress_skip(struct amp_progress *progress, unsigned kind);

/* A line of its own, as amp_complain() writes it. */
__attribute__((format(printf, 3, 4))) void amp_progress_say(struct amp_progress *progress, const char *what,
                                                            const char *why, ...);

/* Remove the progress line from the terminal. */
void amp_progress_end(struct amp_progress *progress);

#endif
