/* SPDX-License-Identifier: MIT
 *
 * Build a configuration from its parts, which come from a file or from a word. Functions return 0 or -ENOMEM; a mistake
 * in a part goes into the configuration's state. The first mistake counts. */
#ifndef AMP_CONFIGURATION_MAKE_H
#define AMP_CONFIGURATION_MAKE_H

#include "harness/allocators/configuration/configuration.h"

#include <stdbool.h>

/* Read it from the file; `out` must be zeroed. */
int amp_configuration_read(const char *path, struct amp_configuration *out);

/* Add "NAME=value" to the environment. *why is NULL, or what is wrong with it (static storage). */
int amp_configuration_set(struct amp_configuration *configuration, const char *assignment, const char **why);

/* Find the allocator's library, check that it can be loaded, and add the allocator's guard to the environment.
 * `package` may be NULL. */
int amp_configuration_resolve(struct amp_configuration *configuration, const char *package);

/* Mark it wrong if its settings cannot be parsed, or if the allocator is known to have no such setting. */
int amp_configuration_check(struct amp_configuration *configuration);

/* Mark it wrong or absent, with the reason, unless it is marked already. */
int amp_configuration_fail(struct amp_configuration *configuration, enum amp_configuration_state state,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The name of a configuration, which is also a folder's: "…/tcache-off.conf" -> "tcache-off", "jemalloc:tcache:false"
 * -> "jemalloc-tcache-false"; malloc()ed. */
char *amp_configuration_name(const char *text);

/* The value in one assignment of its environment, as the user asked for it: without the guard. */
const char *amp_configuration_asked(const struct amp_configuration *configuration, const char *assignment);

/* Whether the text is valid UTF-8, so that JSON can hold it. */
bool amp_configuration_is_text(const char *text);

/* Add a copy of the text to a list that ends in NULL; the list itself may be NULL. */
int amp_configuration_append(char ***list, const char *text);

#endif
