/* SPDX-License-Identifier: MIT
 *
 * The jobs of a matrix: probes; blocks of launches; timelines. */
#ifndef AMP_MATRIX_JOBS_H
#define AMP_MATRIX_JOBS_H

#include "harness/allocators/matrix_plan.h"
#include "harness/run/job.h"

enum amp_cell_kind { AMP_CELL_PROBE, AMP_CELL_LAUNCH, AMP_CELL_TIMELINE };

/* What all jobs of a matrix share. */
struct amp_matrix_plan {
    const char *dir;     /* the run folder */
    const char *program; /* ampersand-workload */
    int cpu;             /* for workloads with one thread; -1: there is only one */
};

/* Add all jobs. `within` of a job is its configuration. The group of a probe is that, too: if it fails, the whole
 * column does. The group of another job is its cell, or the timelines of its configuration. */
void amp_matrix_jobs(const struct amp_matrix *matrix, const struct amp_matrix_options *options,
                     const struct amp_matrix_plan *plan, struct amp_jobs *jobs);

/* How many jobs that are. */
size_t amp_matrix_size(const struct amp_matrix *matrix, const struct amp_matrix_options *options);

/* The file of a configuration's probe. */
void amp_matrix_probe(const char *dir, const struct amp_configuration *configuration, char out[PATH_MAX]);

#endif
