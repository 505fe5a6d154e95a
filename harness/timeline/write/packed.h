/* SPDX-License-Identifier: MIT
 *
 * Numbers for a script in a page: as varints, compressed (zlib's form, which browsers unpack), as base64. */
#ifndef AMP_TIMELINE_PACKED_H
#define AMP_TIMELINE_PACKED_H

#include "harness/files/protobuf.h"
#include "harness/timeline/write/out.h"

#include <zlib.h>

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
