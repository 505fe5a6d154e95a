/* SPDX-License-Identifier: MIT
 *
 * A profile as a person reads it: totals, then the places that allocate most. */
#ifndef AMP_PROFILE_SHOW_H
#define AMP_PROFILE_SHOW_H

#include "harness/profile/samples/profile.h"

#include <jansson.h>
#include <stdio.h>

/* What is known of the program besides. */
struct amp_shown {
    const char *program;
    const char *file; /* the written profile; NULL: none */
    const char *ended; /* how the program ended, as "exit status 1" */
};

/* At most 20 lines. 0, or a negative errno. */
int amp_show_table(const struct amp_profile *profile, const struct amp_shown *shown, FILE *out);

/* Everything, as a JSON object of schema ampersand/profile/1. 0, or a negative errno. */
int amp_show_json(const struct amp_profile *profile, const struct amp_shown *shown, FILE *out);

/* Append a location's frames to an array, those of inlined functions first. */
void amp_show_frames(json_t *stack, const struct amp_location *location);

/* Say which compiler's flag is missing where there are no lines. */
void amp_show_flags(const struct amp_profile *profile, FILE *out);

/* Where a sample that has a stack allocates: the index of its first place outside the C and C++ libraries. */
size_t amp_show_allocating(const struct amp_sample *sample);

/* The innermost of a location's lines that is not the lessons' own way to call malloc() (kernel.h), by its index;
 * n_lines if there is none. */
size_t amp_show_first_line(const struct amp_location *location);

#endif
