/* SPDX-License-Identifier: MIT
 *
 * How a process ended, in words, from its exit status and the last line that it wrote. */
#ifndef AMP_OUTCOME_H
#define AMP_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An exit status with a meaning: the reason, as in the journal, and words in case the process wrote none. */
struct amp_exit {
    int status;
    const char *reason, *words;
};

enum amp_ending {
    AMP_DONE,
    AMP_SIGNAL,       /* a signal ended it */
    AMP_EXIT,         /* it returned a status without a meaning */
    AMP_TIMEOUT,      /* it was killed, see time_limit.h */
    AMP_MEMORY,       /* a kernel or a fixture got no memory */
    AMP_INTERRUPTED,  /* it was killed because amp_process_interrupted() */
    AMP_REFUSED,      /* it reported a failure by its status, or its verb did not accept the result */
};

struct amp_outcome {
    enum amp_ending ending;
    char detail[320]; /* "SIGSEGV", or the last line that the child wrote; printable ASCII */
    double seconds;
    const char *reason;   /* of AMP_REFUSED */
    bool excused;         /* nobody asked for it by name, so the run does not fail */
    const char *ends_run; /* why the rest of the run is pointless; NULL: it goes on */
};

/* As in the journal: "signal", "exit", ... */
const char *amp_outcome_reason(const struct amp_outcome *outcome);

/* Correct an outcome by the result file, which the child writes whole or not at all. Without the file, the job is not
 * done. If the child was interrupted after it wrote the file, the job is done. */
void amp_outcome_hold_to(const char *file, struct amp_outcome *outcome);

/* Keeps the last line of a child's output that is not empty. Must start zeroed. */
struct amp_tail {
    char line[256], last[256];
    size_t n;
};

void amp_tail_add(struct amp_tail *tail, const char *text, size_t n);
void amp_tail_end(struct amp_tail *tail); /* the output has ended, perhaps without a newline */

/* Fill in the ending and its detail. `exits`: as in struct amp_process; memory_limit_b: what it was allowed, 0: all. */
void amp_outcome_describe(const struct amp_exit *exits, uint64_t memory_limit_b, int status,
                          const struct amp_tail *tail, struct amp_outcome *out);

#endif
