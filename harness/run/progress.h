/* SPDX-License-Identifier: MIT
 *
 * How far a run is, on stderr: on a terminal one line that is written over, in a pipe a line now and then. */
#ifndef AMP_PROGRESS_H
#define AMP_PROGRESS_H

#include "harness/run/job.h"

struct amp_progress {
    bool terminal;
    size_t total, done, failed; /* children, children, rows (of a matrix: cells) */
    size_t unmeasured;          /* of those that are done, the failed and the skipped */
    size_t tenth;               /* of the children that were to do at the start, the last one that was told */
    size_t done_at_start;
    struct {
        size_t left, measured;
        double seconds;
    } kinds[AMP_JOB_KINDS]; /* each kind takes its own time, so each has its own mean; a matrix has kinds of its own */
};

/* `done` of the total were there before; left[kind] are still to do. */
void amp_progress_begin(struct amp_progress *progress, size_t done, const size_t left[AMP_JOB_KINDS]);
void amp_progress_child(struct amp_progress *progress, const char *kind, const char *name);

/* Only children that ended well tell how long the next ones will take. */
void amp_progress_ended(struct amp_progress *progress, unsigned kind, bool well, double seconds);

/* The children of a failed row that will not run. */
void amp_progress_skip(struct amp_progress *progress, unsigned kind);

/* A line of its own, as amp_complain() writes it. */
__attribute__((format(printf, 3, 4))) void amp_progress_say(struct amp_progress *progress, const char *what,
                                                            const char *why, ...);

/* Take the progress line off the terminal. */
void amp_progress_end(struct amp_progress *progress);

#endif
