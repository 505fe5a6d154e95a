/* SPDX-License-Identifier: MIT
 *
 * What a child is told: the words of its command line. Functions return 0 or a negative errno. */
#ifndef AMP_JOB_ARGV_H
#define AMP_JOB_ARGV_H

#include "harness/bench/plan.h"

struct amp_job_argv {
    const char *argv[12]; /* NULL-terminated; the strings are the command's */
    char *words[12];
};

/* The command of the child that writes `file`: for paired and counts a task as child.h has it, for solo the flags of
 * an ordinary Google Benchmark program, which writes "<file>.tmp". `cpu` is where it will run, -1: anywhere. */
int amp_job_argv_make(const struct amp_row *row, const struct amp_item *item, const struct amp_launch_options *options,
                     const char *file, int cpu, struct amp_job_argv **out);
void amp_job_argv_free(struct amp_job_argv *command);

#endif
