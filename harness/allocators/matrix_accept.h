/* SPDX-License-Identifier: MIT
 *
 * Which results of a matrix count. */
#ifndef AMP_MATRIX_ACCEPT_H
#define AMP_MATRIX_ACCEPT_H

#include "harness/allocators/configuration/configuration.h"
#include "harness/run/job.h"

/* Whether too little of a launch's result was measured on a quiet core: as is_disturbed() in
 * plots/allocators_metrics.py. */
bool amp_matrix_is_disturbed(const json_t *result);

/* Judge the facts that a probe left; its file then says so. In force: *identity is what is in force, a new reference; else
 * *outcome is refused with the reason. 0 or a negative errno. */
int amp_matrix_judge(const struct amp_configuration *configuration, const char *file, json_t **identity,
                     struct amp_outcome *outcome);

/* Refuse a result whose child had another allocator or other settings than the probe found, and take it away. */
void amp_matrix_hold_to_probe(const json_t *identity, const char *file, struct amp_outcome *outcome);

#endif
