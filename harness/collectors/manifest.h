/* SPDX-License-Identifier: MIT */
#ifndef AMP_COLLECTORS_MANIFEST_H
#define AMP_COLLECTORS_MANIFEST_H

#include "harness/collectors/options.h"
#include "harness/files/record.h"

extern const struct amp_record amp_collectors_record;

/* programs: {collector: the CRC-32 of its program}; the reference is taken. A new reference, or NULL. */
json_t *amp_collectors_manifest(const struct amp_collectors_options *options, json_t *programs);

/* The settings of an existing run. 0, or a negative errno with *why. The strings are the JSON's. */
int amp_collectors_restore(const json_t *manifest, struct amp_collectors_options *options, const char **why);

#endif
