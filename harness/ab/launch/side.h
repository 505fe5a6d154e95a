/* SPDX-License-Identifier: MIT
 *
 * What the process of one side does, whether it was forked and loaded a module or is a program of its own. */
#ifndef AMP_AB_SIDE_H
#define AMP_AB_SIDE_H

#include "harness/ab/launch/kernels.h"
#include "harness/ab/launch/turns.h"

/* Where the kernel comes from. Returns NULL after writing into `why`. */
typedef const struct amp_ab_kernel *(*amp_ab_loader)(const void *context, char *why, size_t size);

/* Do all steps of this side, and end the process. */
__attribute__((noreturn)) void amp_ab_side_run(struct amp_ab_turns *turns, enum amp_ab_actor me, amp_ab_loader load,
                                               const void *context);

#endif
