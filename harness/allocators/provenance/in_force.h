/* SPDX-License-Identifier: MIT
 *
 * What identifies the allocator of a process. Every measured process is held to what its probe found. */
#ifndef AMP_PROVENANCE_IN_FORCE_H
#define AMP_PROVENANCE_IN_FORCE_H

#include "harness/files/record.h"

struct amp_in_force {
    const char *library; /* the file that malloc comes from */
    uint64_t settings;   /* a CRC-32 of its settings: what it reports, or of a user's program, what its environment asks
                            for; AMP_NONE: nothing is known */
};
extern const struct amp_record amp_in_force_record;

#endif
