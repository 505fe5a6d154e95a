/* SPDX-License-Identifier: MIT */
#ifndef AMP_UTF8_H
#define AMP_UTF8_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How many bytes the valid character of UTF-8 has that stands at `text`, which is not empty; 0: none stands there. */
size_t amp_text_utf8_at(const char *text);

/* Whether the text is valid UTF-8, so that JSON can hold it. */
bool amp_text_is_utf8(const char *text);

/* A name from elsewhere as a string of JSON, with U+FFFD for each byte that is no UTF-8; NULL as null. A new reference;
 * NULL: no memory. */
json_t *amp_text_json(const char *text);

#endif
