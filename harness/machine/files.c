/* SPDX-License-Identifier: MIT */
#include "harness/machine/files.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void trim_end(char *text)
{
    size_t n = strlen(text);

    while (n > 0 && isspace((unsigned char) text[n - 1]))
        text[--n] = '\0';
}

bool amp_machine_line(char *out, size_t cap, const char *path, ...)
{
    char name[512];
    va_list arguments;
    FILE *file;
    bool found;

    va_start(arguments, path);
    vsnprintf(name, sizeof name, path, arguments);
    va_end(arguments);
    file = fopen(name, "re");
    if (!file)
        return false;
    found = fgets(out, (int) cap, file) != NULL;
    fclose(file);
    if (found)
        trim_end(out);
    return found && out[0] != '\0';
}

bool amp_machine_value(char *out, size_t cap, const char *path, const char *key)
{
    FILE *file = fopen(path, "re");
    char line[1024];
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');

        if (!colon)
            continue;
        *colon = '\0';
        trim_end(line);
        if (strcmp(line, key) != 0)
            continue;
        trim_end(colon + 1);
        snprintf(out, cap, "%s", colon + 1 + strspn(colon + 1, " \t"));
        found = out[0] != '\0';
    }
    if (file)
        fclose(file);
    return found;
}

json_t *amp_machine_integer(const char *path)
{
    char line[64], *end;
    long long number;

    if (!amp_machine_line(line, sizeof line, "%s", path))
        return json_null();
    errno = 0;
    number = strtoll(line, &end, 10);
    return errno || end == line || *end ? json_null() : json_integer(number);
}
