/* SPDX-License-Identifier: MIT
 *
 * manifest.json: everything that a reader needs to redo the statistics of a run, and that --resume needs to continue
 * it. */
#ifndef AMP_MANIFEST_H
#define AMP_MANIFEST_H

#include "harness/bench/plan.h"
#include "harness/files/record.h"

/* How many modules the lesson of each row has; malloc()ed, NULL with *why. */
unsigned *amp_manifest_layouts(const struct amp_rows *rows, const char **why);

/* A new reference, or NULL with *why (static storage) if a lesson's table of layouts cannot be read. */
json_t *amp_manifest_make(const struct amp_rows *rows, const unsigned *layouts,
                          const struct amp_launch_options *options, const char **why);

#define AMP_MANIFEST_SCHEMA "ampersand/run/1"
extern const struct amp_record amp_manifest_record;

/* Read for --resume: settings, seed and quick (into *options), and the rows, which are looked up in the registry. 0, or
 * -EPROTO, -ENOENT, -ENOMEM with *why. */
int amp_manifest_restore(const json_t *manifest, const struct amp_registry *registry,
                         struct amp_launch_options *options, struct amp_rows *rows, const char **why);

#endif
