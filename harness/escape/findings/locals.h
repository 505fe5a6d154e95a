/* SPDX-License-Identifier: MIT
 *
 * Locals whose address outlives their frame: it is returned, or stays in memory that does. */
#ifndef AMP_ESCAPE_LOCALS_H
#define AMP_ESCAPE_LOCALS_H

#include <jansson.h>

#include "harness/escape/bodies/program.h"

/* Append an object for each such local of the function to `list`. A local that is only handed to code that is not seen
 * is none: whether that keeps it is not known. */
void amp_locals_find(const struct amp_function *function, json_t *list);

#endif
