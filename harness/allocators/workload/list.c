/* SPDX-License-Identifier: MIT
 *
 * The workloads linked into this program, by the section that AMP_WORKLOAD() fills. */
#include "harness/allocators/workload/list.h"

extern const struct amp_workload *const __start_amp_workloads[] __attribute__((weak, visibility("hidden")));
extern const struct amp_workload *const __stop_amp_workloads[] __attribute__((weak, visibility("hidden")));

const struct amp_workload *const *amp_workloads(size_t *n)
{
    *n = (size_t) (__stop_amp_workloads - __start_amp_workloads);
    return __start_amp_workloads;
}

const struct amp_workload *amp_workload_find(const char *name)
{
    for (const struct amp_workload *const *w = __start_amp_workloads; w < __stop_amp_workloads; w++)
        if (strcmp((*w)->name, name) == 0)
            return *w;
    return NULL;
}
