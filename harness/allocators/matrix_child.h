/* SPDX-License-Identifier: MIT
 *
 * The children of a matrix. Functions return 0 or a negative errno. */
#ifndef AMP_MATRIX_CHILD_H
#define AMP_MATRIX_CHILD_H

#include "harness/allocators/matrix_plan.h"
#include "harness/run/process.h"

struct amp_matrix_launcher {
    const struct amp_matrix *matrix;
    const struct amp_matrix_options *options;
    char program[PATH_MAX];
    int cpu; /* for cells of one thread */
};

/* The CPU that a cell's process is pinned to: where one thread does it all; else -1. */
int amp_matrix_cpu(const struct amp_matrix_launcher *launcher, const struct amp_cell *cell);

/* Start the child of a cell, under its configuration and no other, and wait for it; its result goes into `file`. */
int amp_matrix_child(const struct amp_matrix_launcher *launcher, const struct amp_cell *cell, const char *file,
                     struct amp_outcome *out);

/* The same for many cells, several at once where memory allows: each is watched by a process of its own. What became of
 * cell i is in out[i]; AMP_INTERRUPTED for those that were not begun. */
int amp_matrix_children(const struct amp_matrix_launcher *launcher, const struct amp_cell *cells, size_t n,
                        const char *dir, struct amp_outcome *out);

#endif
