/* SPDX-License-Identifier: MIT
 *
 * What a profile is put together from: equal mappings, places and stacks of all processes are one. What is given out
 * belongs to the profile; NULL: there is no memory. */
#ifndef AMP_PROFILE_STORE_H
#define AMP_PROFILE_STORE_H

#include "harness/profile/samples/profile.h"

/* An empty profile. 0 or -ENOMEM; the caller frees it with amp_profile_free(). */
int amp_store_begin(struct amp_profile *out);

/* The code of a file: path, start, end, offset and bias are read of `wanted`. It may come to lie elsewhere. */
struct amp_mapping *amp_store_mapping(struct amp_profile *profile, const struct amp_mapping *wanted);

/* A place, by its address in the profile. */
struct amp_location *amp_store_location(struct amp_profile *profile, uint64_t address, struct amp_mapping *mapping);

/* The sample with these places, the innermost first; all 0 if it is new. */
struct amp_sample *amp_store_sample(struct amp_profile *profile, struct amp_location **stack, size_t n, uint32_t bucket,
                                    enum amp_stack_ending ending);

/* The outermost place of the base's sample that has most of the first value, or of the other side's; NULL: no
 * sample. */
struct amp_location *amp_store_outermost(const struct amp_profile *profile, bool is_base);

/* Samples as an array; none is added any more. 0 or -ENOMEM. */
int amp_store_finish(struct amp_profile *profile);

/* Room for one more in an array that doubles. */
bool amp_store_has_room(void *array, size_t n, size_t size_b);

/* A file's name without its folders, within the path; NULL of NULL. */
const char *amp_store_file_name(const char *path);

/* Whether a file's name, without its folders, begins so. */
bool amp_store_is_named(const char *path, const char *beginning);

#endif
