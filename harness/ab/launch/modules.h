/* SPDX-License-Identifier: MIT
 *
 * Load a module of a side into this process. */
#ifndef AMP_AB_MODULES_H
#define AMP_AB_MODULES_H

#include "harness/ab/launch/side.h"

/* For amp_ab_side_run(): which module, and which of its kernels. */
struct amp_ab_module {
    const char *path, *kernel;
    bool as_mapped; /* leave the code on the pages of its file */
};

const struct amp_ab_kernel *amp_ab_module_load(const void *module, char *why, size_t size);

#endif
