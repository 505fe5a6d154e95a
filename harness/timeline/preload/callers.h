/* SPDX-License-Identifier: MIT
 *
 * Where a function of ours was called, put down among the names of the ring. */
#ifndef AMP_TIMELINE_CALLERS_H
#define AMP_TIMELINE_CALLERS_H

#include "harness/profile/unwind/stack.h"

/* The number of the name (AMP_RING_STACK) that tells the stack; 0: there is no room for it. Allocates nothing by
 * malloc(). */
uint32_t amp_callers_number(const struct amp_caller *caller);

#endif
