/* SPDX-License-Identifier: MIT
 *
 * Which settings a configuration asks for. */
#ifndef AMP_CONFIGURATION_ASKED_H
#define AMP_CONFIGURATION_ASKED_H

#include "harness/allocators/configuration/make.h"

#include <stdbool.h>

/* One setting that was asked for, under the name with which it is read back. */
struct amp_setting {
    char key[128];   /* "opt.tcache_max", "glibc.malloc.arena_max", "MIMALLOC_EAGER_COMMIT" */
    char value[128]; /* "65536" if lg_tcache_max:16 was asked for */
    char by[32];     /* " by lg_tcache_max:16" if it was asked for under another name */
};

struct amp_settings {
    struct amp_setting list[128];
    size_t n; /* of equal keys only the last is kept, since that one counts */
};

/* Parse the environment of a configuration. False, with one line in *why, if that fails. */
bool amp_settings_read(const struct amp_configuration *configuration, struct amp_settings *out, char *why, size_t size);

/* Whether a setting was asked for; *value is what it was set to. */
bool amp_setting_find(const struct amp_settings *settings, const char *key, const char **value);

#endif
