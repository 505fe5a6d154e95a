/* SPDX-License-Identifier: MIT */
#ifndef AMP_JEMALLOC_OPTIONS_H
#define AMP_JEMALLOC_OPTIONS_H

#include <jansson.h>

/* jemalloc's malloc_stats_print(), linked or found by dlsym(). */
typedef void (*amp_stats_print)(void (*write)(void *, const char *), void *opaque, const char *options);

/* Every opt.* setting of jemalloc with the value in force: {"opt.tcache": true, ...}. They are read from its
 * statistics, since mallctl() cannot list names. A new reference; an empty object if `print` is NULL or not jemalloc's;
 * NULL if there is no memory. */
json_t *amp_jemalloc_options(amp_stats_print print);

#endif
