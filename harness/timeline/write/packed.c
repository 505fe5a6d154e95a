/* SPDX-License-Identifier: MIT */
#include "harness/timeline/write/packed.h"

#include <errno.h>
#include <stdlib.h>

#define PART_B ((size_t) 1 << 16)

int amp_packed_begin(struct amp_packed *packed, struct amp_out *out)
{
    *packed = (struct amp_packed){ .out = out };
    return deflateInit(&packed->stream, 6) == Z_OK ? 0 : -ENOMEM;
}

/* Three bytes as four letters; of fewer, `=` stands for what is not there. */
static void put_letters(struct amp_packed *p)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = p->rest;
    const unsigned bits = (unsigned) b[0] << 16 | (unsigned) b[1] << 8 | b[2];

    for (unsigned i = 0; i < 4; i++)
        putc(i > p->n_rest ? '=' : letters[bits >> (18 - 6 * i) & 63], p->out->file);
    p->rest[0] = p->rest[1] = p->rest[2] = 0;
    p->n_rest = 0;
}

static void compress_waiting(struct amp_packed *p, int how)
{
    unsigned char made[PART_B];

    p->stream.next_in = p->waiting.bytes;
    p->stream.avail_in = (unsigned) p->waiting.n;
    do {
        p->stream.next_out = made;
        p->stream.avail_out = sizeof made;
        deflate(&p->stream, how);
        for (const unsigned char *at = made; at < p->stream.next_out; at++) {
            p->rest[p->n_rest++] = *at;
            if (p->n_rest == 3)
                put_letters(p);
        }
    } while (p->stream.avail_out == 0);
    p->waiting.n = 0;
}

void amp_packed_number(struct amp_packed *packed, uint64_t number)
{
    amp_message_varint(&packed->waiting, number);
    if (packed->waiting.n > PART_B)
        compress_waiting(packed, Z_NO_FLUSH);
}

int amp_packed_end(struct amp_packed *packed)
{
    bool has_failed = packed->waiting.failed;

    compress_waiting(packed, Z_FINISH);
    if (packed->n_rest > 0)
        put_letters(packed);
    deflateEnd(&packed->stream);
    free(packed->waiting.bytes);
    return has_failed ? -ENOMEM : 0;
}
