/* SPDX-License-Identifier: MIT
 *
 * Open a run folder for this process. Functions return 0, or the exit status 2 after a line on stderr. */
#ifndef AMP_RUN_FOLDER_H
#define AMP_RUN_FOLDER_H

#include "harness/files/journal.h"

#include <stdint.h>

/* Begin a new run: make `dir` (or use an empty one) with room for need_b bytes, lock it by opening *journal, and write
 * the manifest. */
int amp_run_folder_new(const char *dir, uint64_t need_b, const json_t *manifest, struct amp_journal **journal);

/* Check that the files of an existing run are files: reading a pipe would wait, reading a device would not end. Call it
 * first. */
int amp_run_folder_look(const char *dir);

/* The manifest of an existing run, of this schema: a new reference, or NULL with *why (static storage). */
json_t *amp_run_folder_manifest(const char *dir, const char *schema, const char **why);

/* Continue an existing run: lock it, check that its manifest has not changed, and remove what killed writers left. */
int amp_run_folder_old(const char *dir, struct amp_journal **journal);

#endif
