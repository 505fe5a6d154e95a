/* SPDX-License-Identifier: MIT
 *
 * What became of a process, in words: from its status and from the last line that it wrote. */
#ifndef AMP_OUTCOME_H
#define AMP_OUTCOME_H

#include "harness/run/process.h"

#include <stddef.h>

/* The last line that is not empty of what a child writes. Begins zeroed. */
struct amp_tail {
    char line[256], last[256];
    size_t n;
};

void amp_tail_add(struct amp_tail *tail, const char *text, size_t n);
void amp_tail_end(struct amp_tail *tail); /* of the text: a line may have no end */

/* The ending and its detail. */
void amp_outcome_describe(const struct amp_process *process, int status, const struct amp_tail *tail,
                          struct amp_outcome *out);

#endif
