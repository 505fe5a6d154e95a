/* SPDX-License-Identifier: MIT */
#include "harness/text/utf8.h"

#include <stdlib.h>
#include <string.h>

#define REPLACED "\xef\xbf\xbd"
#define REPLACED_B 3

size_t amp_text_utf8_at(const char *text)
{
    const unsigned char *at = (const unsigned char *) text;
    size_t n = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
               : at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : 0;

    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

bool amp_text_is_utf8(const char *text)
{
    size_t n = 1;

    for (; n > 0 && *text; text += n)
        n = amp_text_utf8_at(text);
    return n > 0;
}

json_t *amp_text_json(const char *text)
{
    char *clean, *to;
    json_t *json;

    if (!text)
        return json_null();
    clean = to = malloc(REPLACED_B * strlen(text) + 1);
    if (!clean)
        return NULL;
    while (*text) {
        size_t n = amp_text_utf8_at(text);

        memcpy(to, n > 0 ? text : REPLACED, n > 0 ? n : REPLACED_B);
        to += n > 0 ? n : REPLACED_B;
        text += n > 0 ? n : 1;
    }
    *to = '\0';
    json = json_string(clean);
    free(clean);
    return json;
}
