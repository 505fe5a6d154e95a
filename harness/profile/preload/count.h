/* SPDX-License-Identifier: MIT
 *
 * Counts an allocation where it belongs. Here, reallocating is the end of one object and the beginning of another. */
#ifndef AMP_PROFILE_COUNT_H
#define AMP_PROFILE_COUNT_H

#include "harness/profile/record/births.h"
#include "harness/profile/unwind/thread.h"

struct amp_object {
    uintptr_t address;
    const struct amp_birth *birth; /* NULL: it is not known */
};

/* An object begins; size_b as the program asked. */
void amp_count_begin(const void *object, size_t size_b, const struct amp_caller *caller);

/* An object is about to end, by a call from there. Returns it, for amp_count_undo(). */
struct amp_object amp_count_end(const void *object, const struct amp_caller *caller);

/* The object has not ended: realloc() failed. */
void amp_count_undo(const struct amp_object *object);

/* A call returned NULL for lack of memory. */
void amp_count_failed(void);

/* An allocation that a signal handler made while another was being counted. */
void amp_count_missed(void);

/* False: nothing is counted, until it is called with true. For all threads. From then on the process has its file, even
 * if it allocates nothing. */
void amp_count_set(bool on);

#endif
