/* SPDX-License-Identifier: MIT
 *
 * The profile of a program's copies as a file that `go tool pprof` reads. */
#ifndef AMP_COPIES_EXPORT_H
#define AMP_COPIES_EXPORT_H

#include "harness/profile/copies/places.h"

/* Write what was sampled, with its stacks, and what was counted, by place. The file appears
 * whole or not at all. 0, or a negative errno. */
int amp_copies_save(struct amp_profile *profile, const struct amp_copy_places *places, const char *path,
                    uint64_t wall_ns, const char *comment);

#endif
