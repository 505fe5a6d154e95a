/* SPDX-License-Identifier: MIT
 *
 * manifest.json of a matrix: results/SCHEMA.md, "ampersand/allocators/1". */
#ifndef AMP_MATRIX_MANIFEST_H
#define AMP_MATRIX_MANIFEST_H

#include "harness/allocators/matrix_plan.h"
#include "harness/files/record.h"

/* CRC-32 of the measured program and of the tables of the pairs' lessons: "program_crc32", "tables_crc32". */
json_t *amp_matrix_built(const struct amp_matrix *matrix);

extern const struct amp_record amp_matrix_record;

/* A new reference, or NULL if there is no memory. */
json_t *amp_matrix_manifest(const struct amp_matrix *matrix, const struct amp_matrix_options *options);

/* Read the options of an existing run from its manifest; strings are borrowed from it. -EPROTO with *why. */
int amp_matrix_restore(const json_t *manifest, struct amp_matrix_options *options, const char **why);

#endif
