/* SPDX-License-Identifier: MIT
 *
 * What a child process does: one launch of one row, written into one file. */
#ifndef AMP_CHILD_H
#define AMP_CHILD_H

#include "harness/bench/task.h"

/* Does a task, a JSON object as text, and returns an exit status. */
int amp_child_main(const char *task);

/* The two kinds of task. Each writes task->file, of such a record, and returns an exit status. */
extern const struct amp_record amp_launch_record, amp_counts_record;
int amp_child_paired(const struct amp_task *task); /* child_paired.c */
int amp_child_counts(const struct amp_task *task); /* child_counts.c */

#endif
