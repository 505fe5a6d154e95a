/* SPDX-License-Identifier: MIT
 *
 * The task of a process that runs the user's program: its parent writes it, the process reads it. */
#include "harness/allocators/program/program.h"

#define PROGRAM(member, ...) AMP_FIELD(struct amp_program, member, __VA_ARGS__)
#define FIELD(member, ...) AMP_FIELD(struct amp_program_task, member, __VA_ARGS__)

const struct amp_record amp_program_record = {
    AMP_FIELDS(AMP_LIST(struct amp_program, command, n_command), PROGRAM(path), PROGRAM(folder),
               PROGRAM(input, .is_nullable = true), PROGRAM(metric, .is_nullable = true),
               PROGRAM(load, .is_nullable = true), PROGRAM(more_is_better)),
};

const struct amp_record amp_program_task_record = {
    AMP_FIELDS(FIELD(file), FIELD(configuration), FIELD(workload), FIELD(launch), FIELD(seed), FIELD(cpu, .least = -1),
               FIELD(environment_padding_b), FIELD(quiet_ns),
               AMP_INNER("program", struct amp_program_task, program, &amp_program_record),
               AMP_LIST(struct amp_program_task, environment, n_environment), FIELD(preload, .is_nullable = true)),
    .is_strict = true,
};
