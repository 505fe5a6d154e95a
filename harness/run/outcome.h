/* SPDX-License-Identifier: MIT
 *
 * What became of a process, in words: from its status and from the last line that it wrote. */
#ifndef AMP_OUTCOME_H
#define AMP_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An exit status that has a meaning: the reason as the journal has it, and words where the process said none. */
struct amp_exit {
    int status;
    const char *reason, *words;
};

enum amp_ending {
    AMP_DONE,
    AMP_SIGNAL,       /* it died of one */
    AMP_EXIT,         /* it gave a status that has no name below */
    AMP_TIMEOUT,      /* it was killed after timeout_s */
    AMP_MEMORY,       /* a kernel or a fixture found none */
    AMP_INTERRUPTED,  /* it was killed because amp_process_interrupted() */
    AMP_REFUSED,      /* for a reason of its verb's: it said so itself by its status, or its result was not accepted */
};

struct amp_outcome {
    enum amp_ending ending;
    char detail[320]; /* "SIGSEGV", or the last line that the child wrote; printable ASCII */
    double seconds;
    const char *reason;   /* of AMP_REFUSED */
    bool excused;         /* nobody asked for it by name: no failure of the run */
    const char *ends_run; /* why nothing else is worth running; NULL: the others go on */
};

/* As in the journal: "signal", "exit", ... */
const char *amp_outcome_reason(const struct amp_outcome *outcome);

/* An outcome, by the result file that the child was to write whole or not at all: without one it is not done, and one that
 * was interrupted behind its result is. */
void amp_outcome_hold_to(const char *file, struct amp_outcome *outcome);

/* The last line that is not empty of what a child writes. Begins zeroed. */
struct amp_tail {
    char line[256], last[256];
    size_t n;
};

void amp_tail_add(struct amp_tail *tail, const char *text, size_t n);
void amp_tail_end(struct amp_tail *tail); /* of the text: a line may have no end */

/* The ending and its detail. `exits`: as in struct amp_process; memory_limit_b: what the process was allowed, 0: all. */
void amp_outcome_describe(const struct amp_exit *exits, uint64_t memory_limit_b, int status, const struct amp_tail *tail,
                          struct amp_outcome *out);

#endif
