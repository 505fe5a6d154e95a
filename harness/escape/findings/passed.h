/* SPDX-License-Identifier: MIT
 *
 * Parameters that could be passed in another way: a struct that is only read, by const pointer instead of a copy; a
 * small object behind a pointer that is only read, by value.
 *
 * Both hold only while nobody changes the object during the call. So the function, and all that it calls, may write to
 * nothing but its own locals. And its callers must all be known, since they change, too. */
#ifndef AMP_ESCAPE_PASSED_H
#define AMP_ESCAPE_PASSED_H

#include <jansson.h>

#include "harness/escape/bodies/program.h"

/* What two registers hold: a larger struct is passed in memory. */
enum { AMP_REGISTERS_B = 16 };

/* Append an object for each such parameter to `list`: function and its place, name, "to" ("pointer" or "value"),
 * bytes (of what is read, where it is a pointer now), the number of calls and the functions that make them. */
void amp_passed_find(const struct amp_program *program, const struct amp_function *function, json_t *list);

/* Whether memory behind the pointer may be written, or the pointer kept: handing it on counts. */
bool amp_passed_is_changed(LLVMValueRef pointer);

#endif
