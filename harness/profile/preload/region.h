/* SPDX-License-Identifier: MIT
 *
 * The memory of the profiler in the profiled process: the file of counts, and private memory that a forked child does
 * not inherit. A child begins anew, with a file of its own, when it first allocates; a process that exec started, too. */
#ifndef AMP_PROFILE_REGION_H
#define AMP_PROFILE_REGION_H

#include "harness/profile/preload/record.h"

#include <stdbool.h>
#include <stddef.h>

/* Private memory, all 0, and all 0 again in a forked child. NULL if there is none. */
void *amp_region_map(size_t size_b);
void amp_region_unmap(void *memory, size_t size_b);

/* The head of this process's file; made if there is none, in plain memory if no folder is named. NULL: no memory. */
struct amp_profile_head *amp_region_head(void);

/* The head if there is one: for a signal handler, which may have interrupted the making of it. */
struct amp_profile_head *amp_region_head_made(void);

/* Room for a record, all 0, in the file; NULL if there is no more. Only under a lock of the caller. */
void *amp_region_add(size_t size_b);

/* A lock that waits without the C library. In a process with one thread it costs nothing. */
struct amp_lock {
    int held;
};
void amp_lock(struct amp_lock *lock);
void amp_unlock(struct amp_lock *lock);
bool amp_single_threaded(void);

#endif
