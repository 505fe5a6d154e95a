/* SPDX-License-Identifier: MIT */
#ifndef AMP_WORKLOAD_LIST_H
#define AMP_WORKLOAD_LIST_H

#include "harness/workload.h"

/* All workloads of this program, in the order of benchmarks/workloads/meson.build; static storage. */
const struct amp_workload *const *amp_workloads(size_t *n);
const struct amp_workload *amp_workload_find(const char *name);

#endif
