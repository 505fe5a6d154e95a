/* SPDX-License-Identifier: MIT
 *
 * A profile of CPU time as a person reads it: functions, those with most time of their own first. */
#ifndef AMP_PROFILE_SHOW_CPU_H
#define AMP_PROFILE_SHOW_CPU_H

#include "harness/profile/show.h"

/* At most 20 lines; cpu_ns is what the kernel says that all processes took. 0, or a negative errno. */
int amp_show_cpu_table(const struct amp_profile *profile, const struct amp_shown *shown, uint64_t cpu_ns, FILE *out);

/* Everything, as a JSON object of schema ampersand/cpu-profile/1. 0, or a negative errno. */
int amp_show_cpu_json(const struct amp_profile *profile, const struct amp_shown *shown, uint64_t cpu_ns, FILE *out);

#endif
