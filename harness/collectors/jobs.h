/* SPDX-License-Identifier: MIT
 *
 * The jobs of a run of collectors:
 *
 *   points   each collector, workload, GOGC and live heap, launch by launch, within a launch in random order
 *   pauses   each collector once, for so many cycles that a p99 means something
 *   shapes   each collector, on the same live bytes in five shapes, and on objects that die at once
 *   graphs   the live heap of each workload, as ours sees it */
#ifndef AMP_COLLECTORS_JOBS_H
#define AMP_COLLECTORS_JOBS_H

#include "harness/collectors/options.h"
#include "harness/run/job.h"

enum amp_collectors_kind { AMP_GC_POINT, AMP_GC_PAUSES, AMP_GC_SHAPE, AMP_GC_GRAPH, AMP_GC_TRIAL };

/* programs: of each of the options' collectors, its file */
void amp_collectors_jobs(const struct amp_collectors_options *options, const char *dir, char *const *programs,
                         struct amp_jobs *jobs);
size_t amp_collectors_size(const struct amp_collectors_options *options); /* how many, at most */

/* Before a run: each collector for a moment, with each workload as in its points, and once as in the pauses. No part of
 * the run. What such a job takes, times the number for it, is what the run's points or pauses will take. */
void amp_collectors_trials(const struct amp_collectors_options *options, const char *dir, char *const *programs,
                           struct amp_jobs *jobs);
double amp_collectors_trial_times(const struct amp_collectors_options *options, size_t trial);

#endif
