/* SPDX-License-Identifier: MIT
 *
 * Linked into every module of a lesson: the table of the pairs that its object declares. */
#include "harness/lesson/layout.h"

extern const struct amp_pair *const __start_amp_pairs[] __attribute__((visibility("hidden")));
extern const struct amp_pair *const __stop_amp_pairs[] __attribute__((visibility("hidden")));

__attribute__((visibility("default"))) extern const struct amp_lesson amp_lesson;
const struct amp_lesson amp_lesson = {
    .abi = AMP_LESSON_ABI,
    .value_run_offset = (uint32_t) offsetof(struct amp_pair, value.run),
    .pointer_run_offset = (uint32_t) offsetof(struct amp_pair, pointer.run),
    .name_offset = (uint32_t) offsetof(struct amp_pair, name),
    .sizes_offset = (uint32_t) offsetof(struct amp_pair, sizes),
    .calls_offset = (uint32_t) (offsetof(struct amp_side, calls) - offsetof(struct amp_side, run)),
    .copied_b_offset = (uint32_t) (offsetof(struct amp_side, copied_b_per_op) - offsetof(struct amp_side, run)),
    .begin = __start_amp_pairs,
    .end = __stop_amp_pairs,
};
