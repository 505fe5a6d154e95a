/* SPDX-License-Identifier: MIT
 *
 * Allocator configurations: benchmarks/allocators/<name>.conf, a user's own file, or a word such as
 * "jemalloc:narenas:1,tcache:false". A mistake in one does not end the run: its column says what is wrong, and all
 * others are measured.
 *
 * A file has one "key = value" a line; '#' begins a comment:
 *
 *     for       = Gives unused pages back at once: least memory, many page faults.
 *     allocator = jemalloc                       or glibc, mimalloc, tcmalloc, or the path of a library to preload
 *     set       = MALLOC_CONF=dirty_decay_ms:0,muzzy_decay_ms:0      an environment variable; a line for each
 *     expect    = effect.retained_b <= 8M        what the probe must find as well; a line for each
 *     package   = libjemalloc2                   optional: what to install if the allocator is missing
 *
 * The configuration is called like its file. Every setting must be read back from the allocator; the file need not say
 * so. `expect` is for settings of which reading back proves nothing. */
#ifndef AMP_CONFIGURATION_H
#define AMP_CONFIGURATION_H

#include "harness/allocators/configuration/make.h"

#include <stddef.h>

struct amp_configurations {
    struct amp_configuration *list;
    size_t n;
};

/* Read every *.conf of a folder: "jemalloc.conf" first, then in the order of their names. 0, or a negative errno if the
 * folder cannot be read (with *why, static storage) or there is no memory. */
int amp_configurations_read_dir(const char *dir, struct amp_configurations *out, const char **why);

/* Add the configuration that a word of the command line names: one of `shipped`, the path of a .conf file, the path of
 * a library, or "<allocator>:<settings>". The settings are those of MALLOC_CONF for jemalloc, of GLIBC_TUNABLES for
 * glibc ("glibc:malloc.arena_max=1"), variables for the others ("mimalloc:MIMALLOC_EAGER_COMMIT=0"). If a name is
 * taken, "-2" is added to the second, and so on. -EINVAL with *why if it is none of these (with the nearest name);
 * -ENOMEM. */
int amp_configurations_add(struct amp_configurations *configurations, const struct amp_configurations *shipped,
                           const char *word, const char **why);

/* Add a copy of list[i] under another name, for an A/A column. */
int amp_configurations_repeat(struct amp_configurations *configurations, size_t i, const char *name);

void amp_configurations_free(struct amp_configurations *configurations);

#endif
