/* SPDX-License-Identifier: MIT
 *
 * Build a configuration from its parts, which come from a file or from a word. Functions return 0 or -ENOMEM; a mistake
 * in a part goes into the configuration's state. The first mistake counts. */
#ifndef AMP_CONFIGURATION_MAKE_H
#define AMP_CONFIGURATION_MAKE_H

#include "harness/files/record.h"

enum amp_configuration_state {
    AMP_CONFIGURATION_READY,
    AMP_CONFIGURATION_ABSENT, /* its allocator is not installed: its column is left out, `why` names the package */
    AMP_CONFIGURATION_WRONG,  /* a typo, a path that is no library, an unknown setting: its column fails */
};

struct amp_configuration {
    char *name;         /* also a folder's name: [A-Za-z0-9][A-Za-z0-9_.-]* */
    char *purpose;      /* one sentence */
    char *allocator;    /* "jemalloc", "glibc", "mimalloc", "tcmalloc", or a path as it was given */
    char *library;      /* the file to preload; NULL for glibc, and if it was not found */
    char **environment; /* "MALLOC_CONF=...", ends in NULL; LD_PRELOAD is not among them */
    char **expect;      /* conditions, "effect.arenas <= 1", ends in NULL */
    enum amp_configuration_state state;
    char *why; /* one line, printable; NULL if it is ready */
};

/* Add "NAME=value" to the environment. *why is NULL, or what is wrong with it (static storage). */
int amp_configuration_set(struct amp_configuration *configuration, const char *assignment, const char **why);

/* Find the allocator's library, check that it can be loaded, and add the allocator's guard to the environment.
 * `package` may be NULL. */
int amp_configuration_resolve(struct amp_configuration *configuration, const char *package);

/* Mark it wrong or absent, with the reason, unless it is marked already. */
int amp_configuration_fail(struct amp_configuration *configuration, enum amp_configuration_state state,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The name of a configuration, which is also a folder's: "…/tcache-off.conf" -> "tcache-off", "jemalloc:tcache:false"
 * -> "jemalloc-tcache-false"; malloc()ed. */
char *amp_configuration_name(const char *text);

/* The value in one assignment of its environment, as the user asked for it: without the guard. */
const char *amp_configuration_asked(const struct amp_configuration *configuration, const char *assignment);

/* Add a copy of the text to a list that ends in NULL; the list itself may be NULL. */
int amp_configuration_append(char ***list, const char *text);

/* For manifest.json: {"name", "purpose", "allocator", "library", "environment": {...}, "expect": [...],
 * "state": "ready" | "absent" | "wrong", "why", "paste": "LD_PRELOAD=... MALLOC_CONF=..."}; a new reference. */
extern const struct amp_record amp_configuration_record;
json_t *amp_configuration_json(const struct amp_configuration *configuration);

#endif
