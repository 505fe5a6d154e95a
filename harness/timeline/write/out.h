/* SPDX-License-Identifier: MIT
 *
 * A file that appears whole or not at all; one whose name ends with .gz is compressed. What goes wrong shows at the
 * end. */
#ifndef AMP_TIMELINE_OUT_H
#define AMP_TIMELINE_OUT_H

#include "harness/files/protobuf.h"

#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

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

/* Numbers for a script in a page: as varints, compressed (zlib's form, which browsers unpack), as base64. */
struct amp_packed {
    struct amp_out *out;
    struct amp_message waiting; /* numbers that are not compressed yet */
    z_stream stream;
    unsigned char rest[3]; /* bytes that are not written yet: base64 takes three */
    unsigned n_rest;
};

/* 0 or -ENOMEM. */
int amp_packed_begin(struct amp_packed *packed, struct amp_out *out);
void amp_packed_number(struct amp_packed *packed, uint64_t number);

/* Once after each begin. 0 or -ENOMEM; what goes wrong with the file, that shows. */
int amp_packed_end(struct amp_packed *packed);

#endif
