/* SPDX-License-Identifier: MIT
 *
 * Check settings before anything runs under them. jemalloc ends the process at an unknown setting, without saying which
 * one. This program usually has the same jemalloc itself, so ask that one which settings it knows. */
#include "harness/allocators/configuration/check.h"

#include "harness/allocators/configuration/asked.h"
#include "harness/machine/machine.h"
#include "harness/text/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_own(const struct amp_configuration *configuration, const json_t *own)
{
    const char *file = json_string_value(json_object_get(own, "file"));
    struct stat one, other;

    return file && configuration->library && json_object_size(json_object_get(own, "options")) > 0 &&
           stat(file, &one) == 0 && stat(configuration->library, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* Without "opt.", as in MALLOC_CONF. */
static const char *plain(const char *key)
{
    return strncmp(key, "opt.", strlen("opt.")) == 0 ? key + strlen("opt.") : key;
}

static int refuse(struct amp_configuration *configuration, const char *key, const json_t *options)
{
    const char **names = calloc(json_object_size(options), sizeof *names), *name, *nearest;
    json_t *value;
    size_t n = 0;
    int err;

    if (!names)
        return -ENOMEM;
    json_object_foreach((json_t *) options, name, value) names[n++] = plain(name);
    nearest = amp_suggest(plain(key), names, n, amp_suggest_limit(plain(key)));
    err = amp_configuration_fail(configuration, AMP_CONFIGURATION_WRONG,
                                 "MALLOC_CONF: '%s': jemalloc tells of no such setting%s%s%s", plain(key),
                                 nearest ? "; the nearest is '" : "", nearest ? nearest : "", nearest ? "'" : "");
    free(names);
    return err;
}

int amp_configuration_check(struct amp_configuration *configuration)
{
    struct amp_settings settings;
    char why[256];
    json_t *own;
    int err = 0;

    if (configuration->state != AMP_CONFIGURATION_READY)
        return 0;
    if (!amp_settings_read(configuration, &settings, why, sizeof why))
        return amp_configuration_fail(configuration, AMP_CONFIGURATION_WRONG, "%s", why);
    own = amp_machine_allocator();
    if (!own)
        return -ENOMEM;
    for (size_t i = 0; i < settings.n && !err && is_own(configuration, own); i++) {
        const json_t *options = json_object_get(own, "options");
        const char *key = settings.list[i].key;

        if (strncmp(key, "opt.", strlen("opt.")) == 0 && !json_object_get(options, key) &&
            strcmp(key, "opt.max_background_threads") != 0) /* reported under another name */
            err = refuse(configuration, key, options);
    }
    json_decref(own);
    return err;
}
