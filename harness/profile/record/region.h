/* SPDX-License-Identifier: MIT
 *
 * The memory of the profiler in the profiled process: the file of counts, and private memory that a forked child does
 * not inherit. A child begins anew, with a file of its own, when it first allocates; a process that exec started, too. */
#ifndef AMP_PROFILE_REGION_H
#define AMP_PROFILE_REGION_H

#include "harness/profile/record/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* of glibc, defines its version */

#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#define AMP_HAS_SINGLE_THREADED
#endif
#endif

/* Private memory, all 0, and all 0 again in a forked child. NULL if there is none. */
void *amp_region_map(size_t size_b);
void amp_region_unmap(void *memory, size_t size_b);

/* The head of this process's file. */
struct amp_region {
    struct amp_profile_head *head; /* NULL: not made */
};
extern struct amp_region *amp_region; /* NULL: not made */

/* Nothing is to be counted; known once there is a head. */
extern bool amp_region_off;

/* Bytes from one sampled allocation to the next, known once there is a head; 0: every one is counted. */
extern uint64_t amp_region_sample_b;

/* The head if there is one: for a signal handler, which may have interrupted the making of it. */
static inline struct amp_profile_head *amp_region_head_made(void)
{
    return amp_region ? __atomic_load_n(&amp_region->head, __ATOMIC_ACQUIRE) : NULL;
}

/* Made if there is none, in plain memory if no folder is named. NULL: no memory. */
struct amp_profile_head *amp_region_make(void);

static inline struct amp_profile_head *amp_region_head(void)
{
    struct amp_profile_head *head = amp_region_head_made();

    return __builtin_expect(head != NULL, 1) ? head : amp_region_make();
}

/* Room for a record, all 0 but for its size, in the file; NULL if there is no more. Only under a lock of the caller. */
void *amp_region_add(size_t size_b);

/* A lock that waits without the C library. In a process with one thread it costs nothing. */
struct amp_lock {
    int held;
};

static inline bool amp_single_threaded(void)
{
#ifdef AMP_HAS_SINGLE_THREADED
    return __libc_single_threaded;
#else
    return false;
#endif
}

void amp_lock_wait(struct amp_lock *lock);

static inline void amp_lock(struct amp_lock *lock)
{
    if (!amp_single_threaded() && __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        amp_lock_wait(lock);
}

static inline void amp_unlock(struct amp_lock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
