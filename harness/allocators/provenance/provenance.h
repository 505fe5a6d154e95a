/* SPDX-License-Identifier: MIT
 *
 * Is a configuration in force? A probe, a separate process under that configuration, writes down the facts that it
 * finds. This program, which does not run under it, judges them.
 *
 *     asked        MALLOC_CONF=tcache:false          the configuration
 *     read back    opt.tcache = false                what the allocator reports
 *     effect       effect.tcached_max_b = 0          what its behaviour shows
 *
 * It is in force if all three agree. A setting that cannot be read back and has no effect to check counts as not in
 * force: nobody knows. */
#ifndef AMP_PROVENANCE_H
#define AMP_PROVENANCE_H

#include "harness/allocators/configuration/configuration.h"

/* In the probe: find the facts. The probe links no allocator; it finds the one in force by dlsym(), since the name in
 * the configuration proves nothing. A new reference, or NULL if there is no memory.
 *
 *   { "library": { "file", "version", "sha256",
 *                  "stray": "calloc", the first of malloc's family that comes from another library, or null },
 *     "source": "mallctl opt.*" | "ld.so --list-tunables" | "MIMALLOC_VERBOSE=1" | "MallocExtension" | "none",
 *     "read_back": { "opt.tcache": true, ... every setting that the allocator reports },
 *     "effects": { "tcached_max_b": 32768, "arenas": 4, "faults_per_mib": 0, "huge_b": 0, ... } }
 */
json_t *amp_provenance_probe(void);

/* In the parent: compare the facts of a probe with the configuration. Returns the facts with "asked" (the environment),
 * "in_force" (true or false) and "reason" (null, or one line about the first thing that is not as asked): a new
 * reference, NULL if there is no memory. */
json_t *amp_provenance_judge(const struct amp_configuration *configuration, const json_t *facts);

/* The library of an earlier judgement, if its file has changed since; NULL if it has not, or if a SHA-256 is not known.
 * Borrowed from `judged`. */
const char *amp_provenance_replaced(const json_t *judged);

#endif
