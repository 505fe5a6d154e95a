/* SPDX-License-Identifier: MIT
 *
 * A matrix while it runs: what matrix.c sets up and matrix_cells.c measures. Of these two files alone. */
#ifndef AMP_MATRIX_RUN_H
#define AMP_MATRIX_RUN_H

#include "harness/allocators/matrix_child.h"
#include "harness/files/journal.h"
#include "harness/run/progress.h"
#include "harness/run/quiet_wait.h"

#include <jansson.h>

enum { AMP_MATRIX_DONE = 0, AMP_MATRIX_FAILED = 1, AMP_MATRIX_UNUSABLE = 2, AMP_MATRIX_INTERRUPTED = 130 };

#define AMP_MATRIX_LAUNCH_B 16384 /* a launch's file, with its lines in the journal */

struct amp_matrix_run {
    struct amp_matrix_options options;
    const char *dir;
    struct amp_matrix matrix;
    struct amp_cells cells;
    bool *finished;  /* cells: nothing left to do */
    json_t **probes; /* configurations: "identity" of what is in force; NULL: nothing may be measured under it */
    size_t failed;   /* columns and cells */
    json_t *manifest;
    json_t *built; /* when the run began */
    struct amp_journal *journal;
    struct amp_matrix_launcher launcher;
    struct amp_progress progress;
    struct amp_quiet_wait patience;
};

/* Measure all cells that are not finished: probes, launches, timelines. The exit status of the run. */
int amp_matrix_measure(struct amp_matrix_run *run);

/* Say that the disk or the system, not a cell, has failed: AMP_MATRIX_UNUSABLE. */
int amp_matrix_give_up(struct amp_matrix_run *run, int err);

#endif
