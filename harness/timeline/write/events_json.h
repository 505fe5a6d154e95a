/* SPDX-License-Identifier: MIT
 *
 * The time line in files that other tools open. Each function returns 0 or a negative errno; the file appears whole or
 * not at all. */
#ifndef AMP_TIMELINE_EVENTS_JSON_H
#define AMP_TIMELINE_EVENTS_JSON_H

#include "harness/timeline/write/lanes.h"

/* Trace event JSON, for Perfetto, speedscope and chrome://tracing. */
int amp_events_json_save(struct amp_recording *recording, const char *path, struct amp_lanes_facts *facts);

#endif
