/* SPDX-License-Identifier: MIT
 *
 * Each side reads on where its last operation ended: the value side within a buffer that the second cache holds, each
 * read waiting for the one before; the pointer side sixteen times as much, within one that no cache holds.
 *
 *   alone      value  [buffer]         in the second cache, always
 *   by turns   value  [......]         thrown out by the pointer side's lines before it is come back to
 *              pointer    [buffer ......................................................]
 *
 * So beside the pointer side, the value side is slower than alone: carry-over, which the tests of the solo runs need
 * something real of. An epoch's warm-up, an eighth of it, comes nowhere near the end of the value side's buffer. */
#include "harness/kernel.h"

#define LINE_B 64
#define LINES_PER_OP 8
#define SPOILED_PER_LINE 16
#define STEP 61 /* lines, without a common divisor with a power of two, and too far for a prefetcher */

#define SMALL_B ((size_t) 256 << 10)
#define LARGE_B ((size_t) 64 << 20)

struct buffer {
    size_t at, mask; /* lines */
    unsigned char *bytes;
};

/* Every byte is 1. */
static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct buffer *buffer = fixture;
    size_t at = buffer->at;
    uint64_t sum = 0;

    for (uint64_t i = ops * LINES_PER_OP; i > 0; i--) {
        at = (at + STEP * (size_t) buffer->bytes[at * LINE_B]) & buffer->mask;
        sum++;
    }
    buffer->at = at;
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct buffer *buffer = fixture;
    size_t at = buffer->at;
    uint64_t sum = 0;

    for (uint64_t i = ops * LINES_PER_OP * SPOILED_PER_LINE; i > 0; i--) {
        at = (at + STEP) & buffer->mask;
        sum += buffer->bytes[at * LINE_B];
    }
    buffer->at = at;
    return sum / SPOILED_PER_LINE;
}

static void *make(size_t size_b)
{
    struct buffer *buffer = amp_alloc(sizeof *buffer);

    *buffer = (struct buffer){ .mask = size_b / LINE_B - 1, .bytes = amp_alloc(size_b) };
    memset(buffer->bytes, 1, size_b);
    return buffer;
}

static void *make_small(size_t size)
{
    (void) size;
    return make(SMALL_B);
}

static void *make_large(size_t size)
{
    (void) size;
    return make(LARGE_B);
}

static void take_down(void *fixture)
{
    struct buffer *buffer = fixture;

    free(buffer->bytes);
    free(buffer);
}

AMP_PAIR(carry_over,
    .question = "Does a side that spoils the other's cache show?",
    .value = { run_value, .set_up = make_small, .tear_down = take_down },
    .pointer = { run_pointer, .set_up = make_large, .tear_down = take_down },
    .sizes = AMP_SIZES(8),
);
