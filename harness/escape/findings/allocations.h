/* SPDX-License-Identifier: MIT
 *
 * Where each allocation must live, and why. */
#ifndef AMP_ESCAPE_ALLOCATIONS_H
#define AMP_ESCAPE_ALLOCATIONS_H

#include <jansson.h>

#include "harness/escape/bodies/program.h"

/* Larger objects are left on the heap: a frame of a thread is small. Go draws the same line for new(). */
#define AMP_FRAME_MOST_B 65536

/* Append an object for each allocation of the function to `list`. */
void amp_allocations_find(const struct amp_program *program, const struct amp_function *function, json_t *list);

/* Whether each return of the function is fresh memory and nothing else that its callers could reach. */
bool amp_is_wrapper(const struct amp_summary *summary);

#endif
