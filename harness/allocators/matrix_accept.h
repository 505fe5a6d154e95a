/* SPDX-License-Identifier: MIT
 *
 * Check the results of a matrix. */
#ifndef AMP_MATRIX_ACCEPT_H
#define AMP_MATRIX_ACCEPT_H

#include "harness/allocators/configuration/configuration.h"
#include "harness/run/job.h"

/* Whether too little of a launch was measured on a quiet core. is_disturbed() in plots/judge/allocators/metrics.py has
 * the same rule. */
bool amp_matrix_is_disturbed(const json_t *result);

/* Judge the facts in a probe's file, and write the judgement into it. If the configuration is in force, *identity says
 * what is in force, a new reference; else *outcome is refused, with the reason. 0 or a negative errno. */
int amp_matrix_judge(const struct amp_configuration *configuration, const char *file, json_t **identity,
                     struct amp_outcome *outcome);

/* Refuse and remove a result whose child had another allocator or other settings than the probe. */
void amp_matrix_hold_to_probe(const json_t *identity, const char *file, struct amp_outcome *outcome);

#endif
