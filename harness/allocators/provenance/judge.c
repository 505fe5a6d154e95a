/* SPDX-License-Identifier: MIT
 *
 * Judge the facts of a probe. Does malloc come from that library? Does it work? Does it report the settings that were
 * asked for? Does it behave accordingly? Does it meet the expectations of the configuration? The first "no" is the
 * reason. */
#include "harness/allocators/provenance/provenance.h"

#include "harness/allocators/configuration/allocator.h"
#include "harness/allocators/configuration/expectation.h"
#include "harness/allocators/configuration/make.h"
#include "harness/allocators/provenance/rules.h"
#include "harness/files/sha256.h"
#include "harness/text/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WHY = 320 };

/* ---- The library */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool is_right_library(const struct amp_configuration *configuration, const json_t *library, char *why)
{
    const char *file = text_of(library, "file"), *stray = text_of(library, "stray");

    if (!*file)
        snprintf(why, WHY, "malloc: nobody knows which library it comes from");
    else if (configuration->library && !is_same_file(file, configuration->library))
        snprintf(why, WHY, "malloc is that of %s, not of %s", base_of(file), base_of(configuration->library));
    else if (!configuration->library && strncmp(base_of(file), "libc.so", 7) != 0 &&
             strncmp(base_of(file), "libc-", 5) != 0)
        snprintf(why, WHY, "malloc is that of %s, not of the C library", base_of(file));
    else if (*stray)
        snprintf(why, WHY, "%s has a malloc, but %s comes from another library", base_of(file), stray);
    else
        return true;
    return false;
}

/* ---- What kind of allocator it is */

static const struct {
    const char *allocator, *source, *wants;
} sources[] = {
    { "jemalloc", "mallctl opt.*", "mallctl" },
    { "mimalloc", "MIMALLOC_VERBOSE=1", "mi_version" },
    { "tcmalloc", "MallocExtension", "MallocExtension" },
    { "glibc", "ld.so --list-tunables", "mallinfo2" },
};

/* A path whose file is called like an allocator must be one, too. */
static bool is_right_kind(const struct amp_configuration *configuration, const json_t *facts, char *why)
{
    const struct amp_allocator *allocator = amp_allocator_find(configuration->allocator);
    const json_t *effects = json_object_get(facts, "effects");
    const json_t *served_by_libc = json_object_get(effects, "served_by_libc"); /* null: that C library does not say */
    const char *file = base_of(text_of(json_object_get(facts, "library"), "file"));

    if (!allocator)
        allocator = amp_allocator_of_file(configuration->allocator);
    if (!allocator)
        return true;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (strcmp(allocator->name, sources[i].allocator) == 0 &&
            strcmp(text_of(facts, "source"), sources[i].source) != 0) {
            snprintf(why, WHY, "%s is not %s: it has no %s that answers", file, allocator->name, sources[i].wants);
            return false;
        }
    if (strcmp(allocator->name, "glibc") != 0 && !json_is_false(served_by_libc) && !json_is_null(served_by_libc))
        snprintf(why, WHY, "%s is not %s: the C library's malloc serves behind it", file, allocator->name);
    else if (!json_is_true(json_object_get(effects, "counters_move")))
        snprintf(why, WHY, "%s is not %s: its counters do not follow what is allocated", file, allocator->name);
    else
        return true;
    return false;
}

/* ---- The settings */

/* Settings that can be reported without being in force, and have no effect that is checked. */
static const char *mute(const struct amp_setting *setting)
{
    static const struct {
        const char *key;
        bool is_zero; /* the value: 0, or any other */
        const char *why;
    } mutes[] = {
        { "glibc.malloc.trim_threshold", true, "0 is also told where nothing is set" },
        { "glibc.malloc.top_pad", true, "0 is also told where nothing is set" },
        { "glibc.malloc.arena_test", true, "0 is also told where nothing is set" },
        { "glibc.malloc.arena_max", true, "0 is also told where nothing is set" },
        { "glibc.malloc.check", false, "only libc_malloc_debug.so.0 heeds it, and another malloc is in force then" },
    };

    for (size_t i = 0; i < sizeof mutes / sizeof mutes[0]; i++) {
        double number;
        bool is_zero = amp_expectation_number(setting->value, &number) && !(number < 0) && !(number > 0);

        if (strcmp(setting->key, mutes[i].key) == 0 && is_zero == mutes[i].is_zero)
            return mutes[i].why;
    }
    return NULL;
}

static void explain_unknown(const struct amp_setting *setting, const json_t *read_back, char *why)
{
    const char **names = calloc(json_object_size(read_back) + 1, sizeof *names), *nearest = NULL, *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *) read_back, key, value) if (names) names[n++] = key;
    if (names)
        nearest = amp_suggest(setting->key, names, n, amp_suggest_limit(setting->key));
    snprintf(why, WHY, "%s: it cannot be read back, so nobody knows whether it is in force%s%s%s", setting->key,
             nearest ? "; the nearest that can is '" : "", nearest ? nearest : "", nearest ? "'" : "");
    free(names);
}

/* Settings have other names in other versions of an allocator. The name under which this version reports the setting;
 * NULL if it reports none. */
static const char *renamed(const struct amp_setting *setting, const struct amp_settings *all, const json_t *read_back)
{
    static const char *const names[][2] = { /* mimalloc 2.0, 2.1 */
                                            { "MIMALLOC_DECOMMIT_DELAY", "MIMALLOC_PURGE_DELAY" },
                                            { "MIMALLOC_ALLOW_DECOMMIT", "MIMALLOC_PURGE_DELAY" },
                                            { "MIMALLOC_LARGE_OS_PAGES", "MIMALLOC_ALLOW_LARGE_OS_PAGES" } };

    const char *told = NULL, *value;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (int j = 0; j < 2; j++)
            if (strcmp(setting->key, names[i][j]) == 0 && json_object_get(read_back, names[i][!j]) &&
                (!told || amp_setting_find(all, names[i][!j], &value)))
                told = names[i][!j];
    return told;
}

static bool is_read_back(const struct amp_setting *setting, const struct amp_settings *all, const json_t *read_back,
                         char *why)
{
    const json_t *found = json_object_get(read_back, setting->key);
    const char *other = found ? NULL : renamed(setting, all, read_back), *value;
    char text[128];

    if (!found && other && amp_setting_find(all, other, &value))
        return true;
    if (!found && other) {
        snprintf(why, WHY, "%s: this version calls it %s", setting->key, other);
        return false;
    }
    if (!found) {
        explain_unknown(setting, read_back, why);
        return false;
    }
    if (!amp_expectation_same(found, setting->value)) {
        amp_expectation_print(found, text, sizeof text);
        snprintf(why, WHY, "%s: asked for %s%s, in force is %s", setting->key, setting->value, setting->by, text);
        return false;
    }
    if (mute(setting))
        snprintf(why, WHY, "%s: asked for %s: %s", setting->key, setting->value, mute(setting));
    return !mute(setting);
}

static bool are_settings_in_force(const struct amp_configuration *configuration, const json_t *facts, char *why)
{
    const json_t *read_back = json_object_get(facts, "read_back");
    const char *warning = text_of(read_back, "warning");
    struct amp_settings settings;

    if (!amp_settings_read(configuration, &settings, why, WHY))
        return false;
    for (size_t i = 0; i < settings.n; i++)
        if (!is_read_back(&settings.list[i], &settings, read_back, why))
            return false;
    if (settings.n > 0 && *warning) {
        snprintf(why, WHY, "%s warns: %s", configuration->allocator, warning);
        return false;
    }
    return amp_rules_hold(&settings, facts, why, WHY);
}

static bool is_as_expected(const struct amp_configuration *configuration, const json_t *facts, char *why)
{
    for (char **each = configuration->expect; *each; each++) {
        struct amp_expectation condition;
        const char *wrong = amp_expectation_parse(*each, &condition);

        if (wrong) {
            snprintf(why, WHY, "%s: %s", *each, wrong);
            return false;
        }
        if (!amp_expectation_holds(&condition, facts, why, WHY))
            return false;
    }
    return true;
}

/* ---- The judgement */

static json_t *asked_of(const struct amp_configuration *configuration)
{
    json_t *asked = json_object();

    for (char **each = configuration->environment; *each; each++) {
        const char *value = amp_configuration_asked(configuration, *each);

        if (*value)
            json_object_setn_new_nocheck(asked, *each, strcspn(*each, "="), json_string(value));
    }
    return asked;
}

static bool is_in_force(const struct amp_configuration *configuration, const json_t *facts, char *why)
{
    return is_right_library(configuration, json_object_get(facts, "library"), why) &&
           is_right_kind(configuration, facts, why) && are_settings_in_force(configuration, facts, why) &&
           is_as_expected(configuration, facts, why);
}

json_t *amp_provenance_judge(const struct amp_configuration *configuration, const json_t *facts)
{
    json_t *judged = json_deep_copy(facts), *library = json_object_get(judged, "library");
    char why[WHY] = "", sha256[65];
    bool is_so;

    if (!judged)
        return NULL;
    if (amp_sha256(text_of(library, "file"), sha256))
        json_object_set_new(library, "sha256", json_string(sha256));
    is_so = is_in_force(configuration, judged, why);
    for (char *c = why; *c; c++)
        *c = isprint((unsigned char) *c) ? *c : '?';
    if (json_object_set_new(judged, "asked", asked_of(configuration)) ||
        json_object_set_new(judged, "in_force", json_boolean(is_so)) ||
        json_object_set_new(judged, "reason", is_so ? json_null() : json_string(why))) {
        json_decref(judged);
        return NULL;
    }
    return judged;
}

const char *amp_provenance_replaced(const json_t *judged)
{
    const json_t *library = json_object_get(judged, "library");
    const char *file = text_of(library, "file"), *then = text_of(library, "sha256");
    char now[65];

    return *then && amp_sha256(file, now) && strcmp(then, now) != 0 ? file : NULL;
}
