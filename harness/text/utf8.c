/* SPDX-License-Identifier: MIT */
#include "harness/text/utf8.h"

#include <jansson.h>

bool amp_text_is_utf8(const char *text)
{
    json_t *value = json_string(text);

    json_decref(value);
    return value;
}
