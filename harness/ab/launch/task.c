/* SPDX-License-Identifier: MIT */
#include "harness/ab/launch/task.h"

#define FIELD(member, ...) AMP_FIELD(struct amp_ab_task, member, __VA_ARGS__)
#define IDENTITY FIELD(kernel), FIELD(floor), FIELD(launch), FIELD(configuration), FIELD(seed), FIELD(cpu, .least = -1)
const struct amp_record amp_ab_task_identity = { AMP_FIELDS(IDENTITY) };
const struct amp_record amp_ab_task_record = {
    AMP_FIELDS(IDENTITY, FIELD(programs), FIELD(results_differ), FIELD(modules),
               FIELD(file), FIELD(epoch_ns, .least = 1), FIELD(quiet_ns, .least = 1),
               FIELD(rounds_per_block, .least = 2, .most = 128), FIELD(long_rounds, .most = 64),
               FIELD(long_times, .most = 1000), AMP_LIST(struct amp_ab_task, layouts, n_layouts)),
    .is_strict = true,
};
