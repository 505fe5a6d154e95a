/* SPDX-License-Identifier: MIT
 *
 * Whether a configuration is in force. A probe, a process of its own under that configuration, writes down what it
 * finds (facts); this program, which is not under it, judges.
 *
 *     asked        MALLOC_CONF=tcache:false          the configuration
 *     read back    opt.tcache = false                the allocator's own words
 *     effect       effect.tcached_max_b = 0          what its behaviour shows, whatever it says
 *
 * In force is what agrees in all three. A setting that cannot be read back and has no effect that was expected is not
 * in force: nobody knows whether it is. */
#ifndef AMP_PROVENANCE_H
#define AMP_PROVENANCE_H

#include "harness/allocators/configuration/configuration.h"

/* In the probe (it links no allocator and finds the one in force by dlsym; what the configuration calls it is no
 * evidence): the facts, a new reference, or NULL for want of memory.
 *
 *   { "library": { "file", "version", "sha256",
 *                  "stray": "calloc", the first of malloc's family that another library has, or null },
 *     "source": "mallctl opt.*" | "ld.so --list-tunables" | "MIMALLOC_VERBOSE=1" | "MallocExtension" | "none",
 *     "read_back": { "opt.tcache": true, ... every setting that the allocator tells },
 *     "effects": { "tcached_max_b": 32768, "arenas": 4, "faults_per_mib": 0, "huge_b": 0, ... } }
 */
json_t *amp_provenance_probe(void);

/* In the parent: hold the facts of a probe against the configuration. Returns a new reference: the facts with "asked"
 * (the environment), "in_force": true or false, and "reason": null or the first thing that is not as it was asked, one
 * line. NULL for want of memory. */
json_t *amp_provenance_judge(const struct amp_configuration *configuration, const json_t *facts);

/* The library that an earlier judgement is about, if its file is not what it was then; NULL if it is, and where either
 * SHA-256 is not known. Borrowed from `judged`. */
const char *amp_provenance_replaced(const json_t *judged);

#endif
