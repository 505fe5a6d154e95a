/* SPDX-License-Identifier: MIT
 *
 * Which library or program holds an address of code. */
#ifndef AMP_PROFILE_MODULES_H
#define AMP_PROFILE_MODULES_H

#include "harness/profile/record/region.h"

#define AMP_MODULES 1024

struct amp_module {
    uintptr_t start, end;
    bool is_allocating; /* the C or C++ library: what allocates is the function that called it */
};

/* Modules that the file names. All 0 at first; the caller locks. */
struct amp_modules {
    uint32_t n, n_written; /* n: those that may still be loaded */
    struct amp_module known[AMP_MODULES];
};

/* What a look at the loader's list found: made without a lock, since the loader has its own. */
struct amp_found {
    uintptr_t pc;
    struct amp_module module; /* start 0: nothing */
    uint64_t offset, bias;
    char path[4096];
};

const struct amp_module *amp_modules_find(const struct amp_modules *modules, uintptr_t pc);
void amp_modules_look(uintptr_t pc, struct amp_found *out);
void amp_modules_add(struct amp_modules *modules, const struct amp_found *found);

#endif
