/* SPDX-License-Identifier: MIT
 *
 * Linked into every module and every program of a side: the table of the kernels that its objects declare. */
#include "harness/ab/launch/kernels.h"

extern const struct amp_ab_kernel *const __start_amp_kernels[] __attribute__((visibility("hidden")));
extern const struct amp_ab_kernel *const __stop_amp_kernels[] __attribute__((visibility("hidden")));

__attribute__((visibility("default"))) extern const struct amp_ab_side amp_ab_side;
const struct amp_ab_side amp_ab_side = { AMP_AB_ABI, __start_amp_kernels, __stop_amp_kernels };
