/* SPDX-License-Identifier: MIT
 *
 * A trace: the calls of malloc's family that a program made, in their order. A file, compressed by zlib:
 *
 *     {"schema": "ampersand/trace/1", "program": [...], "calls": 123456, ...}\n      struct amp_trace_head
 *     call call call ...                                                             as many as the head says
 *     0x07                                                                           the end
 *
 * Objects have slots instead of addresses: a call that allocates takes the slot that was given back last, or else a new
 * one; so only a call that frees or reallocates names its slot. A call is a byte, what | 8 where another thread goes
 * on, and numbers of seven bits a byte (LEB128):
 *
 *     malloc, calloc    size, and from AMP_TRACE_LARGE_B on: pages touched
 *     aligned           log2 of the alignment, size, pages
 *     free              slot
 *     realloc           slot, size, pages
 *
 * Functions return 0 or a negative errno; *why is in words, in static storage. */
#ifndef AMP_TRACE_H
#define AMP_TRACE_H

#include "harness/files/record.h"

enum { AMP_TRACE_POINTS = 256, AMP_TRACE_WORDS = 16, AMP_TRACE_THREADS = 4 };
#define AMP_TRACE_LARGE_B 65536u

enum amp_trace_what { AMP_TRACE_MALLOC, AMP_TRACE_CALLOC, AMP_TRACE_ALIGNED, AMP_TRACE_FREE, AMP_TRACE_REALLOC,
                      AMP_TRACE_END = 7 };

struct amp_trace_head {
    const char *program[AMP_TRACE_WORDS]; /* argv, cut */
    size_t n_program;
    const char *library; /* the allocator that it had */
    unsigned threads;    /* at most AMP_TRACE_THREADS: more take turns with these */
    uint64_t calls, allocs, slots;
    uint64_t peak_b, end_b; /* asked for and live: at most, at the end */
    uint64_t step;          /* calls from one point to the next */
    uint64_t live_b[AMP_TRACE_POINTS]; /* live after call 0, step, 2 step ... */
    size_t n_live;
    uint64_t start_own_b, peak_own_b; /* resident memory of the heap: at the first call, at most; peak by samples */
    uint64_t lost;                    /* calls that were not recorded */
};
extern const struct amp_record amp_trace_record;

struct amp_trace_call {
    uint64_t size : 40, what : 3, thread : 2, alignment : 6;
    uint32_t slot, pages; /* pages: that are touched, of a large object */
};

struct amp_trace_file;

/* Read the head. `strings` gets the JSON that lends it its strings. */
int amp_trace_open(const char *path, struct amp_trace_head *head, json_t **strings, struct amp_trace_file **out,
                   const char **why);
/* The next call, with the slot that it takes or names. -EPROTO with *why if the file is cut or damaged. */
int amp_trace_read(struct amp_trace_file *file, struct amp_trace_call *out, const char **why);
/* After the last call: is the end there? Closes the file in any case. */
int amp_trace_close(struct amp_trace_file *file, const char **why);

/* Write one: the head first, then as many calls as it says; the file appears whole or not at all. Slots are not read,
 * but for those of free and realloc. */
int amp_trace_create(const char *path, const struct amp_trace_head *head, struct amp_trace_file **out);
int amp_trace_write(struct amp_trace_file *file, const struct amp_trace_call *call);
int amp_trace_finish(struct amp_trace_file *file); /* or, after a failure, remove it */

/* Slots in the order in which both sides give them out; all 0 at first. */
struct amp_trace_slots {
    uint32_t *free, n, n_free, cap;
};
uint32_t amp_trace_take(struct amp_trace_slots *slots); /* UINT32_MAX: no memory */
int amp_trace_give(struct amp_trace_slots *slots, uint32_t slot);

#endif
