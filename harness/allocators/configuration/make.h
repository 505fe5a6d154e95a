/* SPDX-License-Identifier: MIT
 *
 * A configuration from its parts, whether they were in a file or in a word. Functions return 0 or -ENOMEM; what is
 * wrong with a part becomes the configuration's state, the first of all that is. */
#ifndef AMP_CONFIGURATION_MAKE_H
#define AMP_CONFIGURATION_MAKE_H

#include "harness/allocators/configuration/configuration.h"

#include <stdbool.h>

/* Fill from the file; `out` is zeroed. */
int amp_configuration_read(const char *path, struct amp_configuration *out);

/* Add "NAME=value" to the environment. *why, in static storage, is NULL or what is wrong with it. */
int amp_configuration_set(struct amp_configuration *configuration, const char *assignment, const char **why);

/* Find the allocator's library, look at it, and put the allocator's guard into the environment. `package` may be
 * NULL. */
int amp_configuration_resolve(struct amp_configuration *configuration, const char *package);

/* Make it wrong where its settings cannot even be read, or where their allocator is known to tell of none like them. */
int amp_configuration_check(struct amp_configuration *configuration);

/* Make it wrong, or absent, with the reason, unless it is already. */
int amp_configuration_fail(struct amp_configuration *configuration, enum amp_configuration_state state,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "…/tcache-off.conf" -> "tcache-off", "jemalloc:tcache:false" -> "jemalloc-tcache-false": a folder's name,
 * malloc()ed. */
char *amp_configuration_name(const char *text);

/* The value that was asked for in one of its environment's assignments: without the guard, which is ours. */
const char *amp_configuration_asked(const struct amp_configuration *configuration, const char *assignment);

/* Whether JSON can hold it: valid UTF-8. */
bool amp_configuration_is_text(const char *text);

/* Add a copy of the text to a list that ends in NULL; the list itself may be NULL. */
int amp_configuration_append(char ***list, const char *text);

#endif
