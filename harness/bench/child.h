/* SPDX-License-Identifier: MIT
 *
 * What a child process does: one launch of one row, written into one file. */
#ifndef AMP_CHILD_H
#define AMP_CHILD_H

#include "harness/files/record.h"
#include "harness/lesson/pair.h"

/* Do the task, a JSON object as text, and return an exit status:
 *
 *   { "kind": "paired" | "counts", "lesson": "pass", "row": "pass/size=64", "file": "…/000.json",
 *     "launch": 0, "configuration": "default", "seed": 77, "cpu": 1 (or -1: not pinned), "stack_offset_b": 1234,
 *     "environment_padding_b": 567, "epoch_ns": 50000, "quiet_ns": 991, "rounds_per_block": 6,
 *     "layout": -1 (or the only one to use) }
 */
int amp_child_main(const char *task);

/* The parsed task; strings are borrowed from its JSON. */
extern const struct amp_record amp_task_record;
struct amp_task {
    const struct amp_row *row;
    const char *kind, *lesson, *name, *file, *configuration;
    unsigned launch, environment_padding_b;
    uint64_t seed, epoch_ns, quiet_ns;
    size_t stack_offset_b, rounds_per_block;
    int cpu, layout;
};

/* The two kinds of task. Each writes task->file, of such a record, and returns an exit status. */
extern const struct amp_record amp_launch_record, amp_counts_record;
int amp_child_paired(const struct amp_task *task); /* child_paired.c */
int amp_child_counts(const struct amp_task *task); /* child_counts.c */

/* The keys that begin every result: of a task; and of a row, "pair" and "size". */
extern const struct amp_record amp_task_identity, amp_row_identity;

/* What they share. The first two print an error on stderr and return an exit status; the third writes the result into
 * the task's file. */
int amp_child_complain(int status, const char *what, const char *why);
int amp_child_disagree(const struct amp_task *task, uint64_t ops, uint64_t value, uint64_t pointer);
int amp_child_write(const struct amp_task *task, const struct amp_record *record, const void *result);

#endif
