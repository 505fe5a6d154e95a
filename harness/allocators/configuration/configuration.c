/* SPDX-License-Identifier: MIT */
#include "harness/allocators/configuration/configuration.h"

#include "harness/allocators/configuration/allocator.h"
#include "harness/allocators/configuration/check.h"
#include "harness/allocators/configuration/file.h"
#include "harness/text/suggest.h"
#include "harness/text/utf8.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void free_list(char **list)
{
    for (char **each = list; each && *each; each++)
        free(*each);
    free(list);
}

static void free_one(struct amp_configuration *configuration)
{
    free(configuration->name);
    free(configuration->purpose);
    free(configuration->allocator);
    free(configuration->library);
    free_list(configuration->environment);
    free_list(configuration->expect);
    free(configuration->why);
}

void amp_configurations_free(struct amp_configurations *configurations)
{
    for (size_t i = 0; i < configurations->n; i++)
        free_one(&configurations->list[i]);
    free(configurations->list);
    *configurations = (struct amp_configurations){ .n = 0 };
}

static bool has_name(const struct amp_configurations *configurations, const char *name)
{
    for (size_t i = 0; i < configurations->n; i++)
        if (strcmp(configurations->list[i].name, name) == 0)
            return true;
    return false;
}

/* Move it into the list, under a name that is not taken. The list owns it; if there is no memory, it is freed. */
static int push(struct amp_configurations *configurations, struct amp_configuration *configuration)
{
    struct amp_configuration *longer =
        realloc(configurations->list, (configurations->n + 1) * sizeof *configurations->list);
    char *name = configuration->name;
    int n = 2;

    if (!longer)
        goto no_memory;
    configurations->list = longer;
    while (has_name(configurations, name)) {
        if (name != configuration->name)
            free(name);
        if (asprintf(&name, "%s-%d", configuration->name, n++) < 0) {
            name = configuration->name;
            goto no_memory;
        }
    }
    if (name != configuration->name) {
        free(configuration->name);
        configuration->name = name;
    }
    longer[configurations->n++] = *configuration;
    return 0;
no_memory:
    free_one(configuration);
    return -ENOMEM;
}

static int copy_list(char **list, char ***out)
{
    *out = calloc(1, sizeof **out);
    for (; *out && *list; list++)
        if (amp_configuration_append(out, *list))
            return -ENOMEM;
    return *out ? 0 : -ENOMEM;
}

static bool copy_text(const char *text, char **out)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

/* Another name may be given, or NULL. */
static int push_copy(struct amp_configurations *configurations, const struct amp_configuration *of, const char *name)
{
    struct amp_configuration copy = { .state = of->state };

    if (!copy_text(name ? name : of->name, &copy.name) || !copy_text(of->purpose, &copy.purpose) ||
        !copy_text(of->allocator, &copy.allocator) || !copy_text(of->library, &copy.library) ||
        !copy_text(of->why, &copy.why) || copy_list(of->environment, &copy.environment) ||
        copy_list(of->expect, &copy.expect)) {
        free_one(&copy);
        return -ENOMEM;
    }
    return push(configurations, &copy);
}

int amp_configurations_repeat(struct amp_configurations *configurations, size_t i, const char *name)
{
    struct amp_configuration of = configurations->list[i]; /* the list moves */

    return push_copy(configurations, &of, name);
}

/* Check what was made without an error, and push it. */
static int take(struct amp_configurations *configurations, struct amp_configuration *configuration, int err)
{
    if (!err)
        err = amp_configuration_check(configuration);
    if (err) {
        free_one(configuration);
        return err;
    }
    return push(configurations, configuration);
}

static int push_file(struct amp_configurations *configurations, const char *path)
{
    struct amp_configuration configuration = { .state = AMP_CONFIGURATION_READY };

    return take(configurations, &configuration, amp_configuration_read(path, &configuration));
}

/* Order by name without ".conf", so that "glibc" comes before "glibc-arenas-1"; "jemalloc" comes first of all. */
static int compare_paths(const void *a, const void *b)
{
    static const char first[] = "jemalloc.conf";
    const char *one = strrchr(*(char *const *) a, '/') + 1, *other = strrchr(*(char *const *) b, '/') + 1;
    size_t i = 0;

    if ((strcmp(one, first) == 0) != (strcmp(other, first) == 0))
        return strcmp(one, first) == 0 ? -1 : 1;
    while (one[i] && one[i] == other[i])
        i++;
    if (strcmp(one + i, ".conf") == 0 || strcmp(other + i, ".conf") == 0)
        return strcmp(one + i, ".conf") == 0 ? -1 : 1;
    return (unsigned char) one[i] - (unsigned char) other[i];
}

int amp_configurations_read_dir(const char *dir, struct amp_configurations *out, const char **why)
{
    struct stat status;
    char *pattern;
    glob_t found;
    int err = 0;

    *out = (struct amp_configurations){ .n = 0 };
    *why = "";
    if (stat(dir, &status) || access(dir, R_OK | X_OK)) {
        err = -errno;
        *why = strerror(-err);
        return err;
    }
    if (!S_ISDIR(status.st_mode)) {
        *why = "it is no folder";
        return -ENOTDIR;
    }
    if (asprintf(&pattern, "%s/*.conf", dir) < 0)
        return -ENOMEM;
    if (glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
        err = -ENOMEM;
    if (found.gl_pathc > 0)
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, compare_paths);
    for (size_t i = 0; i < found.gl_pathc && !err; i++)
        err = push_file(out, found.gl_pathv[i]);
    globfree(&found);
    free(pattern);
    if (err)
        amp_configurations_free(out);
    return err;
}

/* ---- Words of the command line */

/* "malloc.arena_max=1:glibc.malloc.perturb=3", or with commas, as GLIBC_TUNABLES has it; malloc()ed, "" for none. */
static char *tunables(char *settings)
{
    char *text = strdup(""), *rest = NULL;

    for (char *word = strtok_r(settings, ":,", &rest); word && text; word = strtok_r(NULL, ":,", &rest)) {
        const char *prefix = strncmp(word, "glibc.", strlen("glibc.")) == 0 ? "" : "glibc.";
        char *before = text;

        if (asprintf(&text, "%s%s%s%s", before, *before ? ":" : "GLIBC_TUNABLES=", prefix, word) < 0)
            text = NULL;
        free(before);
    }
    return text;
}

/* The settings in a word: the value of one variable for jemalloc and glibc, several variables for others. */
static int set_words(struct amp_configuration *configuration, char *settings, const char **why)
{
    char *text = NULL, *rest = NULL;
    int err = 0;

    *why = NULL;
    if (*settings && !settings[strspn(settings, ":, ")]) {
        *why = "there is no setting behind the first colon";
        return 0;
    }
    if (strcmp(configuration->allocator, "jemalloc") == 0) {
        if (asprintf(&text, "MALLOC_CONF=%s", settings) < 0)
            return -ENOMEM;
    } else if (strcmp(configuration->allocator, "glibc") == 0) {
        text = tunables(settings);
        if (!text)
            return -ENOMEM;
    }
    if (text) {
        err = *text ? amp_configuration_set(configuration, text, why) : 0;
        free(text);
        return err;
    }
    for (char *word = strtok_r(settings, ", ", &rest); word && !err && !*why; word = strtok_r(NULL, ", ", &rest))
        err = amp_configuration_set(configuration, word, why);
    return err;
}

/* "<allocator>:<settings>" */
static int push_settings(struct amp_configurations *configurations, const struct amp_allocator *allocator,
                         const char *word)
{
    struct amp_configuration configuration = { .state = AMP_CONFIGURATION_READY };
    char *settings = strdup(strchr(word, ':') + 1);
    const char *why = NULL;
    int err = -ENOMEM;

    configuration.name = amp_configuration_name(word);
    configuration.allocator = strdup(allocator->name);
    if (!settings || !configuration.name || !configuration.allocator ||
        asprintf(&configuration.purpose, "As asked for: %s", word) < 0)
        goto out;
    err = set_words(&configuration, settings, &why);
    if (!err && why)
        err = amp_configuration_fail(&configuration, AMP_CONFIGURATION_WRONG, "%s: %s", word, why);
    if (!err)
        err = amp_configuration_resolve(&configuration, NULL);
out:
    free(settings);
    return take(configurations, &configuration, err);
}

static int push_library(struct amp_configurations *configurations, const char *path)
{
    struct amp_configuration configuration = { .state = AMP_CONFIGURATION_READY };
    int err = -ENOMEM;

    configuration.name = amp_configuration_name(path);
    configuration.allocator = strdup(path);
    if (configuration.name && configuration.allocator &&
        asprintf(&configuration.purpose, "The library %s, as it is.", path) >= 0)
        err = amp_configuration_resolve(&configuration, NULL);
    return take(configurations, &configuration, err);
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n > m && strcmp(text + n - m, end) == 0;
}

/* The allocator whose name is the whole word, or the part before its colon. */
static const struct amp_allocator *allocator_of(const char *word)
{
    char name[32];
    size_t n = strcspn(word, ":");

    if (n >= sizeof name)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int) n, word);
    return amp_allocator_find(name);
}

static int refuse(const struct amp_configurations *shipped, const char *word, const char **why)
{
    static char text[512];
    const struct amp_allocator *all;
    size_t n_allocators = amp_allocator_all(&all), n = 0, length = strcspn(word, ":");
    const char **names = calloc(shipped->n + n_allocators, sizeof *names), *nearest;
    char begin[AMP_SUGGEST_CHARS + 1];

    if (!names)
        return -ENOMEM;
    snprintf(begin, sizeof begin, "%.*s", (int) (length < AMP_SUGGEST_CHARS ? length : AMP_SUGGEST_CHARS), word);
    for (size_t i = 0; i < n_allocators; i++)
        names[n++] = all[i].name;
    for (size_t i = 0; i < shipped->n && !word[length]; i++)
        names[n++] = shipped->list[i].name;
    nearest = amp_suggest(begin, names, n, SIZE_MAX);
    snprintf(text, sizeof text, "'%.200s' is no configuration, no path and no allocator; the nearest is '%s%s'", word,
             nearest, word[length] ? word + length : "");
    *why = text;
    free(names);
    return -EINVAL;
}

int amp_configurations_add(struct amp_configurations *configurations, const struct amp_configurations *shipped,
                           const char *word, const char **why)
{
    const struct amp_allocator *allocator = allocator_of(word);
    int err;

    *why = "a word is not in UTF-8";
    if (!amp_text_is_utf8(word))
        return -EINVAL;
    *why = "";
    for (size_t i = 0; i < shipped->n; i++)
        if (strcmp(word, shipped->list[i].name) == 0)
            return push_copy(configurations, &shipped->list[i], NULL);
    if (allocator && strchr(word, ':')) {
        err = push_settings(configurations, allocator, word);
    } else if (ends_in(word, ".conf")) {
        err = push_file(configurations, word);
    } else if (strchr(word, '/')) {
        err = push_library(configurations, word);
    } else if (allocator) { /* only the allocator's name, and no file is called so */
        char *text;

        if (asprintf(&text, "%s:", word) < 0)
            return -ENOMEM;
        err = push_settings(configurations, allocator, text);
        free(text);
    } else {
        err = refuse(shipped, word, why);
    }
    return err;
}
