/* SPDX-License-Identifier: MIT
 *
 * Reads one .conf. The order of its lines does not matter: `set` is checked when the allocator is known. The first
 * mistake is kept, with the file's name and the line's number. */
#include "harness/allocators/configuration/file.h"

#include "harness/allocators/configuration/allocator.h"
#include "harness/allocators/configuration/expectation.h"
#include "harness/files/results.h"
#include "harness/text/suggest.h"
#include "harness/text/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = { "for", "allocator", "set", "expect", "package" };
enum { N_KEYS = sizeof keys / sizeof keys[0] };
enum { MAX_LINES = 200 }; /* of the kind that may be repeated */

struct file {
    const char *base; /* its name without the folder */
    struct amp_configuration *out;
    char *package;
    struct {
        char *value;
        unsigned line;
    } sets[MAX_LINES];
    size_t n_sets;
};

static int complain(struct file *file, unsigned line, const char *what, const char *why)
{
    return amp_configuration_fail(file->out, AMP_CONFIGURATION_WRONG, "%s:%u: '%s': %s", file->base, line, what, why);
}

static char *trim(char *text)
{
    size_t n;

    text += strspn(text, " \t");
    n = strlen(text);
    while (n > 0 && isspace((unsigned char) text[n - 1]))
        n--;
    text[n] = '\0';
    return text;
}

static int unknown_key(struct file *file, unsigned line, const char *key)
{
    char why[64];

    snprintf(why, sizeof why, "no such key; the nearest is '%s'", amp_suggest(key, keys, N_KEYS, SIZE_MAX));
    return complain(file, line, key, why);
}

static int take_once(struct file *file, unsigned line, const char *key, const char *value, char **out)
{
    if (*out)
        return complain(file, line, key, "it is there twice");
    *out = strdup(value);
    return *out ? 0 : -ENOMEM;
}

static int take_set(struct file *file, unsigned line, const char *value)
{
    if (file->n_sets == MAX_LINES)
        return complain(file, line, "set", "there are too many");
    file->sets[file->n_sets].line = line;
    file->sets[file->n_sets].value = strdup(value);
    return file->sets[file->n_sets++].value ? 0 : -ENOMEM;
}

static int take_expect(struct file *file, unsigned line, const char *value)
{
    struct amp_expectation condition;
    const char *why = amp_expectation_parse(value, &condition);

    return why ? complain(file, line, value, why) : amp_configuration_append(&file->out->expect, value);
}

static int take_line(struct file *file, unsigned line, char *text)
{
    char *equals, *key, *value;

    text[strcspn(text, "#\n")] = '\0';
    if (!amp_text_is_utf8(text))
        return complain(file, line, text, "it is not in UTF-8");
    key = trim(text);
    if (!*key)
        return 0;
    equals = strchr(key, '=');
    if (!equals)
        return complain(file, line, key, "it wants key = value");
    *equals = '\0';
    key = trim(key);
    value = trim(equals + 1);
    if (!*value)
        return complain(file, line, key, "it has no value");
    if (strcmp(key, "for") == 0)
        return take_once(file, line, key, value, &file->out->purpose);
    if (strcmp(key, "allocator") == 0)
        return take_once(file, line, key, value, &file->out->allocator);
    if (strcmp(key, "package") == 0)
        return take_once(file, line, key, value, &file->package);
    if (strcmp(key, "set") == 0)
        return take_set(file, line, value);
    return strcmp(key, "expect") == 0 ? take_expect(file, line, value) : unknown_key(file, line, key);
}

static int read_lines(FILE *stream, struct file *file)
{
    unsigned line = 0;
    char *text = NULL;
    size_t size = 0;
    int err = 0;

    while (!err && getline(&text, &size, stream) > 0)
        err = take_line(file, ++line, text);
    if (!err && ferror(stream))
        err = amp_configuration_fail(file->out, AMP_CONFIGURATION_WRONG, "%s: it cannot be read", file->base);
    free(text);
    return err;
}

/* Neither the name of an allocator nor like a path: a typo. */
static int check_allocator(struct file *file)
{
    const struct amp_allocator *all;
    size_t n = amp_allocator_all(&all);
    const char *names[8], *allocator = file->out->allocator;

    if (!allocator)
        return amp_configuration_fail(file->out, AMP_CONFIGURATION_WRONG, "%s: it has no line 'allocator = ...'",
                                      file->base);
    if (amp_allocator_find(allocator) || strchr(allocator, '/'))
        return 0;
    for (size_t i = 0; i < n; i++)
        names[i] = all[i].name;
    return amp_configuration_fail(file->out, AMP_CONFIGURATION_WRONG,
                                  "%s: 'allocator = %s': it is no path and no allocator; the nearest is '%s'",
                                  file->base, allocator, amp_suggest(allocator, names, n, SIZE_MAX));
}

static int finish(struct file *file)
{
    int err = check_allocator(file);
    const char *why;

    for (size_t i = 0; i < file->n_sets && !err; i++) {
        err = amp_configuration_set(file->out, file->sets[i].value, &why);
        if (!err && why)
            err = complain(file, file->sets[i].line, file->sets[i].value, why);
    }
    if (!err && !file->out->allocator)
        err = (file->out->allocator = strdup("")) ? 0 : -ENOMEM;
    if (!err && !file->out->purpose)
        err = (file->out->purpose = strdup("")) ? 0 : -ENOMEM;
    return err ? err : amp_configuration_resolve(file->out, file->package);
}

int amp_configuration_read(const char *path, struct amp_configuration *out)
{
    const char *slash = strrchr(path, '/');
    struct file file = { .base = slash ? slash + 1 : path, .out = out };
    int seen = amp_results_look(path), err;
    FILE *stream = seen == 0 ? fopen(path, "re") : NULL;

    out->name = amp_configuration_name(path);
    err = out->name ? 0 : -ENOMEM;
    if (!err && !stream)
        err = amp_configuration_fail(out, AMP_CONFIGURATION_WRONG, "%s: %s", path,
                                     seen == -ESPIPE ? "it is no ordinary file" : strerror(seen ? -seen : errno));
    if (!err && stream)
        err = read_lines(stream, &file);
    if (!err)
        err = finish(&file);
    if (stream)
        fclose(stream);
    for (size_t i = 0; i < file.n_sets; i++)
        free(file.sets[i].value);
    free(file.package);
    return err;
}
