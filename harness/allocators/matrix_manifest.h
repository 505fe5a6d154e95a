/* SPDX-License-Identifier: MIT
 *
 * manifest.json of a matrix: results/SCHEMA.md, "ampersand/allocators/1". */
#ifndef AMP_MATRIX_MANIFEST_H
#define AMP_MATRIX_MANIFEST_H

#include "harness/allocators/matrix_plan.h"
#include "harness/files/record.h"

/* What is measured in and what is measured, by their CRC-32: "program_crc32", and "tables_crc32" of the pairs' lessons. */
json_t *amp_matrix_built(const struct amp_matrix *matrix);

extern const struct amp_record amp_matrix_record;

/* A new reference, or NULL for want of memory. */
json_t *amp_matrix_manifest(const struct amp_matrix *matrix, const struct amp_matrix_options *options);

/* Take from the manifest of an existing run what its options were; strings are borrowed from it. -EPROTO with *why. */
int amp_matrix_restore(const json_t *manifest, struct amp_matrix_options *options, const char **why);

#endif
