/* SPDX-License-Identifier: MIT */
#include "harness/bench/task.h"

#include "harness/text/complain.h"

#include <inttypes.h>

#define FIELD(member, ...) AMP_FIELD(struct amp_task, member, __VA_ARGS__)
const struct amp_record amp_task_record = {
    AMP_FIELDS(FIELD(kind), FIELD(lesson), AMP_FIELD_AS("row", struct amp_task, name), FIELD(file), FIELD(launch),
               FIELD(configuration), FIELD(seed), FIELD(cpu, .least = -1), FIELD(stack_offset_b, .most = 65536),
               FIELD(environment_padding_b), FIELD(epoch_ns), FIELD(quiet_ns), FIELD(rounds_per_block),
               FIELD(layout, .least = -1)),
    .is_strict = true,
};

const struct amp_record amp_row_identity = {
    AMP_FIELDS(AMP_BEHIND("", struct amp_row, pair, AMP_OF(AMP_FIELD_AS("pair", struct amp_pair, name))),
               AMP_FIELD(struct amp_row, size, .least = 1)),
};
const struct amp_record amp_task_identity = {
    AMP_FIELDS(AMP_BEHIND("", struct amp_task, row, &amp_row_identity), FIELD(launch), FIELD(configuration),
               FIELD(seed), FIELD(cpu, .least = -1), FIELD(stack_offset_b), FIELD(environment_padding_b)),
};

int amp_child_disagree(const struct amp_task *task, uint64_t ops, uint64_t value, uint64_t pointer)
{
    return amp_complain(AMP_EXIT_DISAGREE, task->name,
                        "the sides disagree after %" PRIu64 " operations: value 0x%016" PRIx64
                        ", pointer 0x%016" PRIx64,
                        ops, value, pointer);
}
