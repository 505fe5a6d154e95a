/* SPDX-License-Identifier: MIT
 *
 * Messages of Protocol Buffers, made in memory.
 *
 * source   protobuf.dev, "Encoding" */
#ifndef AMP_FILES_PROTOBUF_H
#define AMP_FILES_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All 0 at first. The owner frees `bytes`. */
struct amp_message {
    unsigned char *bytes;
    size_t n, cap;
    bool failed; /* no memory: nothing is added any more */
};

/* A number without a field, as in a list of them. */
void amp_message_varint(struct amp_message *message, uint64_t value);

/* A field of a number; a negative one as its 64 bits. */
void amp_message_number(struct amp_message *message, unsigned field, uint64_t value);

void amp_message_bytes(struct amp_message *message, unsigned field, const void *bytes, size_t n);
void amp_message_text(struct amp_message *message, unsigned field, const char *text);

/* Put a message into another, and begin it anew. */
void amp_message_put(struct amp_message *message, unsigned field, struct amp_message *part);

#endif
