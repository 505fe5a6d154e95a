/* SPDX-License-Identifier: MIT
 *
 * Collect chunks of bytes: in a buffer whose size is known, or in one that grows.
 *
 *   value     frame [ chunk ][ chunk ][ chunk ] ...                  N bytes, known beforehand
 *   pointer   heap  [ chunk ]
 *             heap  [ chunk ][ chunk ]                               64 B, full: twice as much, and the old copied
 *             heap  [ chunk ][ chunk ][ chunk ][ chunk ] ...     up to N: 1 + log2(N / 64) allocations, 2 N - 64 B
 *
 * Same on both sides:  the chunks, the call that writes each, the check before it, the two bytes that are read.
 * Different:           if the size is not known, growing costs allocations, copies and twice the memory. If it is, the
 *                      buffer can be in the frame.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/sharing/buffer.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 16384)
#include "harness/subjects.h"

#ifndef BUFFER /* once, for all sizes */
#define BUFFER

#define CHUNK_B 16
#define FIRST_B 64

struct buffer {
    unsigned char *bytes;
    size_t used, capacity;
};

static inline void grow(struct buffer *b)
{
    b->capacity = b->capacity ? 2 * b->capacity : FIRST_B;
    b->bytes = realloc(b->bytes, b->capacity);
    if (!b->bytes)
        _exit(AMP_EXIT_NO_MEMORY);
}

#endif

#ifdef AMP_SUBJECT

#define write_value AMP_NAME(write_value)
#define write_pointer AMP_NAME(write_pointer)

static AMP_NOINLINE void write_value(struct buffer *b, const unsigned char *chunk)
{
    if (b->used + CHUNK_B > b->capacity)
        _exit(AMP_EXIT_NO_MEMORY); /* never: the size was known */
    memcpy(b->bytes + b->used, chunk, CHUNK_B);
    b->used += CHUNK_B;
}

static AMP_NOINLINE void write_pointer(struct buffer *b, const unsigned char *chunk)
{
    if (b->used + CHUNK_B > b->capacity)
        grow(b);
    memcpy(b->bytes + b->used, chunk, CHUNK_B);
    b->used += CHUNK_B;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    unsigned char *chunk = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject memory;
        struct buffer b = { (unsigned char *) &memory, 0, sizeof memory };

        amp_set_ends_at(chunk, 0, CHUNK_B - 1, i);
        while (b.used < sizeof memory)
            write_value(&b, chunk);
        amp_keep(&memory);
        sum += amp_ends(b.bytes);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    unsigned char *chunk = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct buffer b = { NULL, 0, 0 };

        amp_set_ends_at(chunk, 0, CHUNK_B - 1, i);
        while (b.used < sizeof(subject))
            write_pointer(&b, chunk);
        sum += amp_ends(b.bytes);
        free(b.bytes);
    }
    return sum;
}

AMP_PAIR(buffer,
         .question = "What does it cost to write into a buffer of known size, and what into one that grows?",
         .value = { run_value, .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .set_up = amp_object_set_up, .tear_down = amp_object_tear_down,
                      .allocs_per_op = 1 + (size_t) __builtin_ctzll(sizeof(subject) / FIRST_B),
                      .bytes_per_op = 2 * sizeof(subject) - FIRST_B },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .text = "Give the size if you know it, or reserve a good guess once." }),
         .prefer = "Let a buffer grow only for data of unknown length.");

#endif
