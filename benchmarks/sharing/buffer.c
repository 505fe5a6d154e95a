/* SPDX-License-Identifier: MIT
 *
 * Collect chunks of bytes in a buffer: does it pay to know how much will come, and where is the buffer?
 *
 *   buffer_reserve   value     heap  [ chunk ][ chunk ][ chunk ] ...      N bytes, known beforehand: 1 allocation
 *                    pointer   heap  [ chunk ]
 *                              heap  [ chunk ][ chunk ]                   64 B, full: twice as much, the old copied
 *                              heap  [ chunk ][ chunk ][ chunk ] ...      up to N: 1 + log2(N / 64) allocations
 *
 *   buffer_frame     value     frame [ chunk ][ chunk ][ chunk ] ...      N bytes, known beforehand
 *                    pointer   heap  [ chunk ][ chunk ][ chunk ] ...      N bytes, known beforehand: 1 allocation
 *
 * Same on both sides:  the chunks of two words, the call that writes each, the check before it, the two words that are
 *                      read. buffer_reserve: the heap. buffer_frame: the size, known.
 * Different:           buffer_reserve: growing costs allocations, copies and twice the memory; and as the call may
 *                      grow the buffer, it saves two registers more by clang, three by gcc. buffer_frame: an
 *                      allocation and a free; all else is equal, so it asks only how much these are beside the
 *                      writing.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/sharing/buffer.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 16384)
#include "harness/subjects.h"

#ifndef BUFFER /* once, for all sizes */
#define BUFFER

#define FIRST_B 64

struct chunk {
    uint64_t first, second;
};

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

static AMP_ALWAYS_INLINE void put(struct buffer *b, struct chunk chunk)
{
    memcpy(b->bytes + b->used, &chunk, sizeof chunk);
    b->used += sizeof chunk;
}

static AMP_ALWAYS_INLINE void put_known(struct buffer *b, struct chunk chunk)
{
    if (b->used + sizeof chunk > b->capacity)
        _exit(AMP_EXIT_NO_MEMORY); /* never: the size was known */
    put(b, chunk);
}

#endif

#ifdef AMP_SUBJECT

#if AMP_SUBJECT_B == FIRST_B
#define CHUNKS "*4"
#else
#define CHUNKS "*1024"
#endif
#define write_reserved AMP_NAME(write_reserved)
#define write_growing AMP_NAME(write_growing)
#define write_frame AMP_NAME(write_frame)
#define write_heap AMP_NAME(write_heap)
#define run_reserved AMP_NAME(run_reserved)
#define run_growing AMP_NAME(run_growing)
#define run_frame AMP_NAME(run_frame)
#define run_heap AMP_NAME(run_heap)

static AMP_NOINLINE void write_reserved(struct buffer *b, struct chunk chunk)
{
    put_known(b, chunk);
}

static AMP_NOINLINE void write_growing(struct buffer *b, struct chunk chunk)
{
    if (b->used + sizeof chunk > b->capacity)
        grow(b);
    put(b, chunk);
}

/* write_reserved() twice more, a function for each side, so that each has its own place in a layout. */
static AMP_NOINLINE void write_frame(struct buffer *b, struct chunk chunk)
{
    put_known(b, chunk);
}

static AMP_NOINLINE void write_heap(struct buffer *b, struct chunk chunk)
{
    put_known(b, chunk);
}

static uint64_t run_reserved(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        struct buffer b = { amp_alloc(sizeof(subject)), 0, sizeof(subject) };

        while (b.used < sizeof(subject))
            write_reserved(&b, (struct chunk){ i, i + 1 });
        sum += amp_ends(b.bytes);
        free(b.bytes);
    }
    return sum;
}

static uint64_t run_growing(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        struct buffer b = { NULL, 0, 0 };

        while (b.used < sizeof(subject))
            write_growing(&b, (struct chunk){ i, i + 1 });
        sum += amp_ends(b.bytes);
        free(b.bytes);
    }
    return sum;
}

static uint64_t run_frame(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        subject memory;
        struct buffer b = { (unsigned char *) &memory, 0, sizeof memory };

        while (b.used < sizeof memory)
            write_frame(&b, (struct chunk){ i, i + 1 });
        amp_keep(&memory);
        sum += amp_ends(b.bytes);
    }
    return sum;
}

static uint64_t run_heap(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        struct buffer b = { amp_alloc(sizeof(subject)), 0, sizeof(subject) };

        while (b.used < sizeof(subject))
            write_heap(&b, (struct chunk){ i, i + 1 });
        sum += amp_ends(b.bytes);
        free(b.bytes);
    }
    return sum;
}

AMP_PAIR(buffer_reserve,
         .question = "What does it cost to write into a buffer of known size, and what into one that grows?",
         .value = { .run = run_reserved, .calls = "malloc write_reserved" CHUNKS " free", .allocs_per_op = 1,
                    .bytes_per_op = sizeof(subject), .label = "reserved" },
         .pointer = { .run = run_growing, .calls = "write_growing* realloc* free",
                      .allocs_per_op = 1 + (size_t) __builtin_ctzll(sizeof(subject) / FIRST_B),
                      .bytes_per_op = 2 * sizeof(subject) - FIRST_B, .label = "growing" },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .from = 16384, .text =
                      "Give the size if you know it, or reserve a good guess once." }),
         .prefer = "Let a buffer grow only for data of unknown length.");

AMP_PAIR(buffer_frame,
         .question = "What does it cost to write into a buffer of known size in the frame, and what into one on the "
                     "heap?",
         .value = { .run = run_frame, .calls = "write_frame" CHUNKS },
         .pointer = { .run = run_heap, .calls = "malloc write_heap" CHUNKS " free", .allocs_per_op = 1,
                      .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .to = 64, .text = "Small buffers belong into the frame." },
                    { AMP_NEITHER, .from = 16384, .text =
                      "An allocation is little beside the work of filling kilobytes." }));

#undef CHUNKS
#endif
