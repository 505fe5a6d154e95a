/* SPDX-License-Identifier: MIT
 *
 * The task of a child process: one launch of one row, and the file for its result. */
#ifndef AMP_TASK_H
#define AMP_TASK_H

#include "harness/files/record.h"
#include "harness/lesson/pair.h"

/* Its strings are borrowed from its JSON. */
struct amp_task {
    const struct amp_row *row;
    const char *kind; /* "paired", "counts" */
    const char *lesson, *name /* of the row */, *configuration;
    const char *file; /* where the result goes, whole or not at all */
    unsigned launch, environment_padding_b;
    uint64_t seed, epoch_ns, quiet_ns;
    size_t stack_offset_b, rounds_per_block;
    int cpu;    /* -1: not pinned */
    int layout; /* -1: all, or the only one to use */
};
extern const struct amp_record amp_task_record;

/* The keys that begin every result: of a task; and of a row, "pair" and "size". */
extern const struct amp_record amp_task_identity, amp_row_identity;

/* Print how the checksums of the sides differ, and return the exit status for that. */
int amp_child_disagree(const struct amp_task *task, uint64_t ops, uint64_t value, uint64_t pointer);

#endif
