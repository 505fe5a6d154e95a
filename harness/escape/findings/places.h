/* SPDX-License-Identifier: MIT
 *
 * Places in the source, and paths from place to place, as JSON. */
#ifndef AMP_ESCAPE_PLACES_H
#define AMP_ESCAPE_PLACES_H

#include <jansson.h>

#include "harness/escape/graph/summary.h"

/* Set "file", "line" and "column" of an instruction in `object`; line 0 if it has none. */
void amp_place_set(json_t *object, LLVMValueRef at);

/* [{file, line, column, what, assumed, within: the path in the called function}], a new reference. */
json_t *amp_path_json(const struct amp_path *path);

/* Whether a step, here or in a called function, is assumed and not seen; of many thousand steps, that counts as yes. */
bool amp_path_is_assumed(const struct amp_path *path);

#endif
