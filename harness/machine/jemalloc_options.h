/* SPDX-License-Identifier: MIT */
#ifndef AMP_JEMALLOC_OPTIONS_H
#define AMP_JEMALLOC_OPTIONS_H

#include <jansson.h>

/* jemalloc's malloc_stats_print(), linked or found by dlsym. */
typedef void (*amp_stats_print)(void (*write)(void *, const char *), void *opaque, const char *options);

/* Every opt.* of jemalloc as it was resolved, {"opt.tcache": true, ...}. Its mallctl() cannot list names, its
 * statistics do. A new reference, without any key where `print` is NULL or no jemalloc's; NULL for want of memory. */
json_t *amp_jemalloc_options(amp_stats_print print);

#endif
