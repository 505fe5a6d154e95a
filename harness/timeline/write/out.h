/* SPDX-License-Identifier: MIT
 *
 * A file that appears whole or not at all; one whose name ends with .gz is compressed. What goes wrong shows at the
 * end. */
#ifndef AMP_TIMELINE_OUT_H
#define AMP_TIMELINE_OUT_H

#include <stdint.h>
#include <stdio.h>

struct amp_out {
    FILE *file;
    const char *path; /* the caller's */
    char *tmp;
};

int amp_out_open(struct amp_out *out, const char *path);

/* 0: the file is there. Else a negative errno, and nothing is left. With `err` it is given up. */
int amp_out_close(struct amp_out *out, int err);

void amp_out_text(struct amp_out *out, const char *text);
void amp_out_number(struct amp_out *out, uint64_t number);
void amp_out_us(struct amp_out *out, uint64_t ns); /* as microseconds: 1234.567 */

/* In quotes. What is no UTF-8 becomes U+FFFD. `<` is written as \u003c, so that it may stand within <script>. */
void amp_out_json(struct amp_out *out, const char *text);

/* As text of HTML. */
void amp_out_html(struct amp_out *out, const char *text);

#endif
