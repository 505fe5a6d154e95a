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
void amp_allocations_find(struct amp_program *program, const struct amp_function *function, json_t *list);

/* Append an object if all that the function returns is memory that it made: function, place, and whether it fills
 * that. */
void amp_wrappers_find(const struct amp_function *function, json_t *list);

#endif
