/* SPDX-License-Identifier: MIT
 *
 * What a side consists of, for whoever loads it: its kernels. */
#ifndef AMP_AB_KERNELS_H
#define AMP_AB_KERNELS_H

#include "harness/ab.h"

/* What each module of a side exports as `amp_ab_side`. */
struct amp_ab_side {
    uint32_t abi; /* AMP_AB_ABI */
    const struct amp_ab_kernel *const *begin, *const *end;
};
#define AMP_AB_ABI 1u

/* The kernel of this name, or NULL. */
static inline const struct amp_ab_kernel *amp_ab_find(const struct amp_ab_side *side, const char *name)
{
    for (const struct amp_ab_kernel *const *each = side->begin; each < side->end; each++)
        if (strcmp((*each)->name, name) == 0)
            return *each;
    return NULL;
}

#endif
