/* SPDX-License-Identifier: MIT
 *
 * What the parts of the judgement share. */
#ifndef AMP_PROVENANCE_JUDGE_H
#define AMP_PROVENANCE_JUDGE_H

#include "harness/allocators/configuration/configuration.h"

#include <stdbool.h>

/* One setting that was asked for, under the name by which it is read back. */
struct amp_setting {
    char key[128];   /* "opt.tcache_max", "glibc.malloc.arena_max", "MIMALLOC_EAGER_COMMIT" */
    char value[128]; /* "65536" where lg_tcache_max:16 was asked for */
    char by[32];     /* " by lg_tcache_max:16" where it was asked for in another way than it is told */
};

struct amp_settings {
    struct amp_setting list[128];
    size_t n; /* of equal keys only the last, which is the one that counts */
};

/* Take the environment of a configuration apart. False, with *why in one line, where it cannot be. */
bool amp_settings_read(const struct amp_configuration *configuration, struct amp_settings *out, char *why, size_t size);

/* Whether a setting was asked for, and its value. */
bool amp_setting_find(const struct amp_settings *settings, const char *key, const char **value);

/* What a setting does if it is in force, held against the effects of the facts: of all that were asked for, and of
 * those of an allocator's own words that always show. True, or false with *why. */
bool amp_rules_hold(const struct amp_settings *settings, const json_t *facts, char *why, size_t size);

#endif
