/* SPDX-License-Identifier: MIT
 *
 * The columns and rows of a matrix: configurations and workloads. Functions return 0 or a negative errno. */
#ifndef AMP_MATRIX_PLAN_H
#define AMP_MATRIX_PLAN_H

#include "harness/allocators/configuration/configuration.h"
#include "harness/allocators/options.h"
#include "harness/allocators/workload/replay.h"
#include "harness/lesson/pair.h"
#include "harness/workload.h"

#include <limits.h>

/* Added to the baseline's name: a second column with the same configuration, which shows the noise (an A/A
 * comparison). */
#define AMP_AGAIN "-again"

#define AMP_WORKLOAD_PROGRAM "program_" /* before the name of the user's program */

/* A row of the matrix: one of the three. */
struct amp_matrix_workload {
    char name[64];
    const struct amp_workload *workload;
    const struct amp_pair *pair;
    const struct amp_program *program; /* of the user's */
    struct amp_replay *replay;         /* `workload` is this trace; NULL: it is none */
    const char *lesson;                  /* of a pair */
    size_t sizes[64], n_sizes;           /* of a pair */
};

struct amp_matrix {
    struct amp_configurations configurations; /* the first is the baseline, the second is the baseline again */
    struct amp_matrix_workload *workloads;
    size_t n_workloads;
};

/* Collect the configurations of the options, and the workloads that match: those of this program, and every pair of the
 * registry with a side that allocates; or the user's program alone. 0, or a negative errno with *what (the flag or
 * folder that is wrong) and *why (static storage). */
int amp_matrix_make(const struct amp_registry *registry, const struct amp_matrix_options *options,
                    struct amp_matrix *out, const char **what, const char **why);
void amp_matrix_free(struct amp_matrix *matrix);

/* The path of ampersand-workload, beside this program. 0 or a negative errno. */
int amp_matrix_program(char out[PATH_MAX]);

#endif
