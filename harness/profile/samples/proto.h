/* SPDX-License-Identifier: MIT
 *
 * The file that `go tool pprof`, Perfetto and speedscope read. */
#ifndef AMP_PROFILE_PROTO_H
#define AMP_PROFILE_PROTO_H

#include "harness/profile/samples/profile.h"

/* Write a profile into `path`: profile.proto, compressed by gzip, with the sample types of Go's heap profile. The file
 * appears whole or not at all. `comment` may be NULL. 0, or a negative errno. */
int amp_proto_save(const struct amp_profile *profile, const char *path, uint64_t duration_ns, const char *comment);

/* Whether such a file could be written: 0, or a negative errno. Writes nothing. */
int amp_proto_can_save(const char *path);

#endif
