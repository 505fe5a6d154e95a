/* SPDX-License-Identifier: MIT
 *
 * Around each call that the program makes: what C and C++ have in common. */
#ifndef AMP_PROFILE_CALL_H
#define AMP_PROFILE_CALL_H

#include "harness/profile/preload/count.h"
#include "harness/profile/preload/real.h"
#include "harness/profile/preload/sampling.h"

#define AMP_EXPORTED __attribute__((visibility("default")))

/* Whether this call is the program's own; if so, amp_call_done() must follow. */
static inline bool amp_call_enter(void)
{
    if (__builtin_expect(amp_thread.doing != AMP_OUTSIDE, 0)) {
        if (amp_thread.doing == AMP_COUNTING)
            amp_count_missed();
        return false;
    }
    amp_thread.doing = AMP_IN_CALL;
    return true;
}

/* The end of an allocating call: counts what it returned, and returns that. */
void *amp_call_done(void *p, size_t size_b, const struct amp_caller *caller);

/* A freeing call. */
void amp_call_free(void *p, const struct amp_caller *caller, void (*give_back)(void *));

/* From here on, all threads' allocations are counted, or are not. */
void amp_profile_count(int on);

#endif
