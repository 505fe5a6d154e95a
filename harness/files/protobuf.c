/* SPDX-License-Identifier: MIT */
#include "harness/files/protobuf.h"

#include <stdlib.h>
#include <string.h>

/* Room for n bytes more; NULL: no memory. */
static unsigned char *make_room(struct amp_message *m, size_t n)
{
    size_t cap = m->cap > 0 ? m->cap : 256;
    unsigned char *larger;

    while (cap - m->n < n)
        cap *= 2;
    if (cap > m->cap && !m->failed) {
        larger = realloc(m->bytes, cap);
        m->failed = !larger;
        m->bytes = larger ? larger : m->bytes;
        m->cap = larger ? cap : m->cap;
    }
    return m->failed ? NULL : m->bytes + m->n;
}

void amp_message_varint(struct amp_message *m, uint64_t value)
{
    unsigned char *at = make_room(m, 10);

    if (!at)
        return;
    for (; value > 0x7f; value >>= 7)
        *at++ = (unsigned char) (value | 0x80);
    *at++ = (unsigned char) value;
    m->n = (size_t) (at - m->bytes);
}

void amp_message_number(struct amp_message *m, unsigned field, uint64_t value)
{
    amp_message_varint(m, field << 3);
    amp_message_varint(m, value);
}

void amp_message_bytes(struct amp_message *m, unsigned field, const void *bytes, size_t n)
{
    unsigned char *at;

    amp_message_varint(m, field << 3 | 2);
    amp_message_varint(m, n);
    at = make_room(m, n);
    if (!at || n == 0)
        return;
    memcpy(at, bytes, n);
    m->n += n;
}

void amp_message_text(struct amp_message *m, unsigned field, const char *text)
{
    amp_message_bytes(m, field, text, strlen(text));
}

void amp_message_put(struct amp_message *m, unsigned field, struct amp_message *part)
{
    amp_message_bytes(m, field, part->bytes, part->n);
    m->failed = m->failed || part->failed;
    part->n = 0;
}
