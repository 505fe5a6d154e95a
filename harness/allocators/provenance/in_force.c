/* SPDX-License-Identifier: MIT */
#include "harness/allocators/provenance/in_force.h"

const struct amp_record amp_in_force_record = {
    AMP_FIELDS(AMP_FIELD(struct amp_in_force, library), AMP_FIELD(struct amp_in_force, settings, .is_nullable = true)),
};
