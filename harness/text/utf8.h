/* SPDX-License-Identifier: MIT */
#ifndef AMP_UTF8_H
#define AMP_UTF8_H

#include <stdbool.h>

/* Whether the text is valid UTF-8, so that JSON can hold it. */
bool amp_text_is_utf8(const char *text);

#endif
