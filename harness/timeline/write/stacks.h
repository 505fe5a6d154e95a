/* SPDX-License-Identifier: MIT
 *
 * Where allocations were called: the stacks that are among the names of a recording, by function, file and line. */
#ifndef AMP_TIMELINE_STACKS_H
#define AMP_TIMELINE_STACKS_H

#include "harness/timeline/write/recording.h"

struct amp_stacks;

/* Read those of all processes, and the files that their code is of. *out is NULL if there is none; the caller frees
 * it. 0 or a negative errno. */
int amp_stacks_read(const struct amp_recording *recording, struct amp_stacks **out);
void amp_stacks_free(struct amp_stacks *stacks);

/* The stack of that number in that process, a call a line, the innermost first: "fill (buffer.c:12)", or
 * "libx.so+0x1a2b" where no symbol tells. NULL if it is none. */
const char *amp_stacks_text(const struct amp_stacks *stacks, size_t process, uint32_t number);

#endif
