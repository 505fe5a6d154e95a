/* SPDX-License-Identifier: MIT */
#include "harness/profile/record/near.h"

#include "harness/profile/record/region.h"
#include "harness/profile/unwind/thread.h"

#include <errno.h>
#include <stdbool.h>

AMP_HOT struct amp_near *amp_near;

static struct amp_near *begin(void)
{
    static struct amp_lock making;
    static bool was_tried;
    int error = errno;

    amp_lock(&making);
    if (!amp_near && !was_tried)
        __atomic_store_n(&amp_near, amp_region_map(sizeof *amp_near), __ATOMIC_RELEASE);
    was_tried = true;
    amp_unlock(&making);
    errno = error;
    return amp_near;
}

void amp_near_claim(uintptr_t address)
{
    const uintptr_t page = address >> AMP_NEAR_STRETCH_BITS;
    struct amp_near *near = __atomic_load_n(&amp_near, __ATOMIC_ACQUIRE);
    uintptr_t *owner, nobody = 0;

    if (!near && !(near = begin()))
        return;
    owner = &near->owners[page % AMP_NEAR_STRETCHES];
    if (!__atomic_load_n(owner, __ATOMIC_RELAXED))
        __atomic_compare_exchange_n(owner, &nobody, page << AMP_NEAR_STRETCH_BITS, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
}
