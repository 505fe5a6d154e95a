/* SPDX-License-Identifier: MIT
 *
 * Takes a run folder for this process. Functions return 0, or the exit status 2 after having said why on stderr. */
#ifndef AMP_RUN_FOLDER_H
#define AMP_RUN_FOLDER_H

#include "harness/files/journal.h"

#include <stdint.h>

/* A new run: `dir` is made, or was empty, with room for need_b bytes; it is locked by the open *journal, and holds the
 * manifest. */
int amp_run_folder_new(const char *dir, uint64_t need_b, const json_t *manifest, struct amp_journal **journal);

/* Whether a run that is there can be read: a pipe would be waited for, a device read without end. Comes first. */
int amp_run_folder_look(const char *dir);

/* The manifest of a run that is there, of this schema: a new reference, or NULL with *why (static storage). */
json_t *amp_run_folder_manifest(const char *dir, const char *schema, const char **why);

/* A run that is there: locked, with the manifest that it began with, and what killed writers left behind is gone. */
int amp_run_folder_old(const char *dir, struct amp_journal **journal);

#endif
