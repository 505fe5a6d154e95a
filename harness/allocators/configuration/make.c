/* SPDX-License-Identifier: MIT */
#include "harness/allocators/configuration/make.h"

#include "harness/allocators/configuration/allocator.h"
#include "harness/text/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARS 80 /* of a folder's name */

int amp_configuration_append(char ***list, const char *text)
{
    size_t n = 0;
    char **longer;

    while (*list && (*list)[n])
        n++;
    longer = realloc(*list, (n + 2) * sizeof *longer);
    if (!longer)
        return -ENOMEM;
    *list = longer;
    longer[n + 1] = NULL;
    longer[n] = strdup(text);
    return longer[n] ? 0 : -ENOMEM;
}

int amp_configuration_fail(struct amp_configuration *configuration, enum amp_configuration_state state,
                           const char *format, ...)
{
    va_list arguments;
    int n;

    if (configuration->state != AMP_CONFIGURATION_READY)
        return 0;
    configuration->state = state;
    va_start(arguments, format);
    n = vasprintf(&configuration->why, format, arguments);
    va_end(arguments);
    if (n < 0) {
        configuration->why = NULL;
        return -ENOMEM;
    }
    for (char *c = configuration->why; *c; c++) /* one line, whatever a file or a word had in it */
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    return 0;
}

char *amp_configuration_name(const char *text)
{
    const char *slash = strrchr(text, '/'), *base = slash ? slash + 1 : text;
    size_t n = strlen(base), conf = strlen(".conf"), length = 0;
    char *name = malloc(NAME_CHARS + 1);

    if (!name)
        return NULL;
    if (n > conf && strcmp(base + n - conf, ".conf") == 0)
        n -= conf;
    for (size_t i = 0; i < n && length < NAME_CHARS; i++) {
        bool is_kept = isalnum((unsigned char) base[i]) || (length > 0 && strchr("_.-", base[i]));

        if (is_kept)
            name[length++] = base[i];
        else if (length > 0 && name[length - 1] != '-')
            name[length++] = '-';
    }
    while (length > 0 && name[length - 1] == '-')
        length--;
    name[length] = '\0';
    if (length == 0) { /* such as letters beyond ASCII: their bytes keep the name unique */
        length = (size_t) sprintf(name, "conf");
        for (size_t i = 0; i < n && length + 3 < NAME_CHARS; i++)
            length += (size_t) sprintf(name + length, "%s%02x", i == 0 ? "-" : "", (unsigned char) base[i]);
    }
    return name;
}

/* Say why a variable is wrong that this allocator does not read. */
static const char *unread(const struct amp_allocator *allocator, const char *variable)
{
    static char why[256];
    size_t n = 0;
    const char *nearest;

    while (allocator->variables[n])
        n++;
    nearest = amp_suggest(variable, allocator->variables, n, amp_suggest_limit(variable));
    snprintf(why, sizeof why, "'%s': %s does not read it; %s '%s'", variable, allocator->name,
             nearest ? "the nearest is" : "it reads", nearest ? nearest : allocator->variables[0]);
    return why;
}

static bool is_set(const struct amp_configuration *configuration, const char *variable)
{
    size_t n = strlen(variable);

    for (char **each = configuration->environment; each && *each; each++)
        if (strncmp(*each, variable, n) == 0 && (*each)[n] == '=')
            return true;
    return false;
}

int amp_configuration_set(struct amp_configuration *configuration, const char *assignment, const char **why)
{
    const struct amp_allocator *allocator =
        configuration->allocator ? amp_allocator_find(configuration->allocator) : NULL;
    size_t n = strcspn(assignment, "=");
    char variable[64];

    *why = NULL;
    if (!assignment[n] || n == 0 || n >= sizeof variable) {
        *why = "it wants NAME=value";
        return 0;
    }
    snprintf(variable, sizeof variable, "%.*s", (int) n, assignment);
    if (strspn(variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != n)
        *why = "before '=' it wants the name of an environment variable";
    else if (strcmp(variable, "LD_PRELOAD") == 0)
        *why = "LD_PRELOAD follows from the allocator: give the library's path there";
    else if (is_set(configuration, variable))
        *why = "it is set twice";
    else if (allocator && !amp_allocator_reads(allocator, variable))
        *why = unread(allocator, variable);
    return *why ? 0 : amp_configuration_append(&configuration->environment, assignment);
}

static const struct amp_allocator *guarded_by(const struct amp_configuration *configuration)
{
    const struct amp_allocator *known = amp_allocator_find(configuration->allocator);

    return known ? known : amp_allocator_of_file(configuration->allocator);
}

const char *amp_configuration_asked(const struct amp_configuration *configuration, const char *assignment)
{
    const struct amp_allocator *allocator = guarded_by(configuration);
    const char *value = strchr(assignment, '=') + 1;
    size_t name = (size_t) (value - 1 - assignment),
           guard = allocator && allocator->guard ? strlen(allocator->guard) : 0;

    if (guard == 0 || strncmp(assignment, allocator->variables[0], name) != 0 || allocator->variables[0][name] ||
        strncmp(value, allocator->guard, guard) != 0)
        return value;
    return value + guard + (value[guard] == ',');
}

/* The guard comes first, so that the user's settings override it. */
static int add_guard(struct amp_configuration *configuration, const struct amp_allocator *allocator)
{
    const char *variable = allocator->variables[0];
    size_t n = strlen(variable);
    char *text;

    for (char **each = configuration->environment; each && *each; each++) {
        const char *value = *each + n + 1;

        if (strncmp(*each, variable, n) != 0 || (*each)[n] != '=')
            continue;
        if (asprintf(&text, "%s=%s%s%s", variable, allocator->guard, *value ? "," : "", value) < 0)
            return -ENOMEM;
        free(*each);
        *each = text;
        return 0;
    }
    if (asprintf(&text, "%s=%s", variable, allocator->guard) < 0)
        return -ENOMEM;
    n = (size_t) amp_configuration_append(&configuration->environment, text);
    free(text);
    return (int) n;
}

static int take_path(struct amp_configuration *configuration, const char *package)
{
    char path[PATH_MAX];
    const char *given = configuration->allocator, *why;

    if (!amp_allocator_path(given, path)) {
        if (errno == ENOENT && package)
            return amp_configuration_fail(configuration, AMP_CONFIGURATION_ABSENT,
                                          "%s is not installed: apt-get install %s", given, package);
        return amp_configuration_fail(configuration, AMP_CONFIGURATION_WRONG, "%s: %s", given, strerror(errno));
    }
    why = amp_allocator_refuse(path);
    if (why)
        return amp_configuration_fail(configuration, AMP_CONFIGURATION_WRONG, "%s: %s", given, why);
    configuration->library = strdup(path);
    return configuration->library ? 0 : -ENOMEM;
}

static int take_known(struct amp_configuration *configuration, const struct amp_allocator *allocator,
                      const char *package)
{
    char path[PATH_MAX];
    const char *why;

    if (!allocator->files[0]) /* the C library's: nothing to preload */
        return 0;
    if (!amp_allocator_locate(allocator, path))
        return amp_configuration_fail(configuration, AMP_CONFIGURATION_ABSENT,
                                      "%s is not installed: apt-get install %s", allocator->name,
                                      package ? package : allocator->package);
    why = amp_allocator_refuse(path);
    if (why)
        return amp_configuration_fail(configuration, AMP_CONFIGURATION_WRONG, "%s: %s", path, why);
    configuration->library = strdup(path);
    return configuration->library ? 0 : -ENOMEM;
}

/* Every list ends in NULL, an empty one too. */
static int end_list(char ***list)
{
    if (!*list)
        *list = calloc(1, sizeof **list);
    return *list ? 0 : -ENOMEM;
}

int amp_configuration_resolve(struct amp_configuration *configuration, const char *package)
{
    const struct amp_allocator *allocator = amp_allocator_find(configuration->allocator);
    const struct amp_allocator *guarded = guarded_by(configuration);
    int err = 0;

    if (configuration->state == AMP_CONFIGURATION_READY)
        err = allocator ? take_known(configuration, allocator, package) : take_path(configuration, package);
    if (!err && guarded && guarded->guard)
        err = add_guard(configuration, guarded);
    if (!err)
        err = end_list(&configuration->environment);
    if (!err)
        err = end_list(&configuration->expect);
    return err;
}
