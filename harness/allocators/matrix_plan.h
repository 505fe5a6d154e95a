/* SPDX-License-Identifier: MIT
 *
 * What a matrix consists of. Functions return 0 or a negative errno. */
#ifndef AMP_MATRIX_PLAN_H
#define AMP_MATRIX_PLAN_H

#include "harness/allocators/configuration/configuration.h"
#include "harness/allocators/options.h"
#include "harness/lesson/pair.h"
#include "harness/workload.h"

#include <limits.h>

/* A column's name beside the baseline's for the same once more, by which noise is known: an A/A comparison. */
#define AMP_AGAIN "-again"

/* A row of the matrix. */
struct amp_matrix_workload {
    char name[64];
    const struct amp_workload *workload; /* NULL: a pair */
    const struct amp_pair *pair;         /* NULL: a workload */
    const char *lesson;                  /* of a pair */
    size_t sizes[64], n_sizes;           /* of a pair */
};

struct amp_matrix {
    struct amp_configurations configurations; /* the baseline is the first; the second is it again */
    struct amp_matrix_workload *workloads;
    size_t n_workloads;
};

/* Configurations from the options, workloads that match from this program and from the registry: every pair of which a
 * side allocates. 0, or a negative errno with *what, the flag or the folder that is wrong, and *why (static
 * storage). */
int amp_matrix_make(const struct amp_registry *registry, const struct amp_matrix_options *options,
                    struct amp_matrix *out, const char **what, const char **why);
void amp_matrix_free(struct amp_matrix *matrix);

/* The folder of the shipped configurations; the environment variable AMPERSAND_ALLOCATORS names another. */
const char *amp_matrix_dir(void);

/* The program in which everything is measured, beside this one. 0 or a negative errno. */
int amp_matrix_program(char out[PATH_MAX]);

#endif
