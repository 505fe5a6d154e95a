/* SPDX-License-Identifier: MIT */
#include "harness/allocators/program/output.h"

#include <ctype.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int amp_output_open(void)
{
    const char *folder = getenv("TMPDIR");
    int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC | O_APPEND, 0600);

    return fd >= 0 ? fd : memfd_create("ampersand", MFD_CLOEXEC); /* some file systems have no O_TMPFILE */
}

/* The file from its beginning, line by line. */
static FILE *from_the_start(int fd)
{
    int own = dup(fd);
    FILE *file = own >= 0 ? fdopen(own, "r") : NULL;

    if (file)
        rewind(file);
    else if (own >= 0)
        close(own);
    return file;
}

/* As getline(3), without what jemalloc says of its settings: that is no output of the program's. */
static bool next_line(FILE *file, char **line, size_t *cap)
{
    static const char its_settings[] = "<jemalloc>: malloc_conf";

    do {
        if (getline(line, cap, file) <= 0)
            return false;
    } while (strncmp(*line, its_settings, strlen(its_settings)) == 0);
    return true;
}

bool amp_output_metric(int fd, const char *expression, double *out)
{
    FILE *file = from_the_start(fd);
    bool found = false;
    char *line = NULL;
    size_t cap = 0;
    regex_t regex;

    if (!file || regcomp(&regex, expression, REG_EXTENDED | REG_NEWLINE)) {
        if (file)
            fclose(file);
        return false;
    }
    while (next_line(file, &line, &cap)) {
        regmatch_t groups[2];

        for (const char *at = line; regexec(&regex, at, 2, groups, at > line ? REG_NOTBOL : 0) == 0 && *at;
             at += groups[0].rm_eo > 0 ? groups[0].rm_eo : 1) {
            const char *text = at + groups[1].rm_so;
            char *end = NULL;
            double number = groups[1].rm_so < 0 ? 0 : strtod(text, &end);

            if (end && end > text && end <= at + groups[1].rm_eo && number > 0 && number < 1e300) {
                *out = number;
                found = true;
            }
        }
    }
    free(line);
    regfree(&regex);
    fclose(file);
    return found;
}

void amp_output_last(int fd, char *out, size_t cap)
{
    FILE *file = from_the_start(fd);
    size_t line_cap = 0;
    char *line = NULL;

    out[0] = '\0';
    while (file && next_line(file, &line, &line_cap)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")])
            snprintf(out, cap, "%s", line);
    }
    for (char *c = out; *c; c++)
        *c = isprint((unsigned char) *c) ? *c : '?';
    free(line);
    if (file)
        fclose(file);
}

const char *amp_output_refuse(const char *expression)
{
    static char words[128];
    regex_t regex;
    int err = regcomp(&regex, expression, REG_EXTENDED);
    size_t groups = err ? 0 : regex.re_nsub;

    if (err)
        regerror(err, &regex, words, sizeof words);
    else
        regfree(&regex);
    if (!err && groups == 0)
        return "it has no group: put brackets around the number, as in 'took ([0-9.]+) ms'";
    return err ? words : NULL;
}
