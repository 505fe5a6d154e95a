/* SPDX-License-Identifier: MIT
 *
 * The task of a child: its parent writes it, the child reads it. */
#include "harness/allocators/workload/child.h"

#define FIELD(member, ...) AMP_FIELD(struct amp_workload_task, member, __VA_ARGS__)

const struct amp_record amp_workload_task_record = {
    AMP_FIELDS(FIELD(file), FIELD(configuration), FIELD(workload), FIELD(lesson, .is_optional = true),
               FIELD(trace, .is_optional = true), FIELD(launch),
               FIELD(seed), FIELD(cpu, .least = -1), FIELD(environment_padding_b), FIELD(quiet_ns), FIELD(timeline_s),
               FIELD(quick), FIELD(classes),
               AMP_LIST(struct amp_workload_task, sizes, n_sizes, .least = 1)),
    .is_strict = true,
};

const struct amp_record amp_workload_identity_record = {
    AMP_FIELDS(FIELD(workload), FIELD(configuration), FIELD(launch), FIELD(seed), FIELD(cpu, .least = -1),
               FIELD(environment_padding_b), FIELD(quiet_ns, .least = 1)),
};
