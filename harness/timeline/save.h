/* SPDX-License-Identifier: MIT
 *
 * Writes a recording: as files, by their endings, and as a report. */
#ifndef AMP_TIMELINE_SAVE_H
#define AMP_TIMELINE_SAVE_H

#include "harness/timeline/options.h"

#include <stdio.h>

/* Whether such a file can be written. 0, or 2 after it has said why not. */
int amp_timeline_can_save(const char *path);

/* Write what the folder holds now, as the options ask for; the report goes to `report`, NULL: nowhere. is_running: its
 * processes have not ended, so their curves go on. 0, or 2 after it has said why not. */
int amp_timeline_save(const struct amp_timeline_options *options, const char *folder, const char *title,
                      bool is_running, FILE *report);

#endif
