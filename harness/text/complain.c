/* SPDX-License-Identifier: MIT */
#include "harness/text/complain.h"

#include <ctype.h>
#include <stdio.h>

void amp_complain_list(const char *what, const char *why, va_list arguments)
{
    char line[4096]; /* an endless word is cut */
    size_t cap = sizeof line;
    int n = snprintf(line, cap, "ampersand: %s: ", what);

    if (n > 0 && (size_t) n < cap)
        vsnprintf(line + n, cap - (size_t) n, why, arguments);
    for (char *p = line; *p; p++)
        if (iscntrl((unsigned char) *p))
            *p = '?';
    fprintf(stderr, "%s\n", line);
}

int amp_complain(int status, const char *what, const char *why, ...)
{
    va_list arguments;

    va_start(arguments, why);
    amp_complain_list(what, why, arguments);
    va_end(arguments);
    return status;
}
