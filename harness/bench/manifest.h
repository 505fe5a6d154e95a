/* SPDX-License-Identifier: MIT
 *
 * manifest.json: all that a reader must know of a run to redo its statistics, and all that --resume must know to go
 * on with it. */
#ifndef AMP_MANIFEST_H
#define AMP_MANIFEST_H

#include "harness/bench/plan.h"
#include "harness/files/record.h"

/* How many modules each row's lesson was linked into, malloc()ed; NULL with *why. */
unsigned *amp_manifest_layouts(const struct amp_rows *rows, const char **why);

/* A new reference, or NULL with *why (static storage): a lesson's table of layouts cannot be read. */
json_t *amp_manifest_make(const struct amp_rows *rows, const unsigned *layouts,
                          const struct amp_launch_options *options, const char **why);

#define AMP_MANIFEST_SCHEMA "ampersand/run/1"
extern const struct amp_record amp_manifest_record;

/* Take from a manifest what --resume takes from it: settings, seed, quick (into *options) and rows, looked up in the
 * registry. 0, or -EPROTO, -ENOENT, -ENOMEM with *why. */
int amp_manifest_restore(const json_t *manifest, const struct amp_registry *registry,
                         struct amp_launch_options *options, struct amp_rows *rows, const char **why);

#endif
