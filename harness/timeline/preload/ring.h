/* SPDX-License-Identifier: MIT
 *
 * The file in which a traced process keeps its events, while it runs.
 *
 *   [head][names][chunk][chunk]...[chunk]     as many chunks as the window holds
 *
 * A thread writes into a chunk of its own, then takes the next one that no thread holds. When all are used, that is the
 * oldest: so the file holds the last events of the process, and of each thread at least those of its current chunk. The
 * process maps the file; `ampersand trace` reads it at any moment. So nothing is to be done when the process ends: even
 * SIGKILL loses nothing. `used` is written behind the event, so what it counts is whole. */
#ifndef AMP_RING_H
#define AMP_RING_H

#include <stdint.h>

#define AMP_RING_MAGIC 0x31454d4954504d41u /* "AMPTIME1" */
#define AMP_RING_VERSION 2 /* 1: no event has a stack */
#define AMP_RING_WINDOW "AMPERSAND_TRACE_WINDOW" /* the environment's variable: bytes of a process's chunks */
#define AMP_RING_ABOVE "AMPERSAND_TRACE_ABOVE"   /* bytes from which on an allocation is recorded */

#define AMP_RING_HEAD_B 4096
#define AMP_RING_NAMES_B ((uint64_t) 1 << 20)
#define AMP_RING_NAME_B 1000 /* of a name at most; what is longer is cut */
#define AMP_RING_CHUNK_B ((uint64_t) 1 << 16)
#define AMP_RING_NO_ROOM 1 /* the number of the name that stands for all that found no room */

/* Added to the kind: the next event's `ticks` is the value, its `name` the number of a stack or 0, its `kind` 0. */
enum { AMP_RING_HAS_VALUE = 0x80 };

struct amp_ring_event {
    uint64_t ticks;
    uint32_t name; /* a number, from 1: the names in their order */
    uint32_t kind; /* of enum amp_mark_kind */
};

struct amp_ring_chunk {
    uint64_t order; /* from 1, of all chunks of the process that were ever taken; 0: empty, or changing hands */
    uint32_t held;  /* by a thread that writes here */
    uint32_t thread; /* its number in the process, from 1 */
    int32_t tid;
    uint32_t nth;  /* of the thread's chunks, from 1 */
    uint32_t used; /* events */
    uint32_t unused;
    char name[16]; /* of the thread */
    struct amp_ring_event events[];
};
#define AMP_RING_EVENTS ((AMP_RING_CHUNK_B - sizeof(struct amp_ring_chunk)) / sizeof(struct amp_ring_event))

/* By both clocks. */
struct amp_ring_moment {
    uint64_t ticks, ns;
};

struct amp_ring_head {
    uint64_t magic;
    uint32_t version;
    uint32_t is_cycles; /* ticks are those of the processor's counter; else nanoseconds of CLOCK_MONOTONIC */
    int32_t pid, parent;
    struct amp_ring_moment begin, last; /* two that lie apart */
    uint64_t n_chunks;              /* whose memory is there */
    uint64_t overwritten;           /* events */
    uint64_t lost; /* events without a place: made by a signal handler while another was written, or without memory */
    uint64_t names_b; /* of all names */
    uint32_t n_names;
    uint32_t n_threads;
    char program[512];
};

/* In `names`: the length without the 0, the text, a 0. Some tell where a call was; numbers are hexadecimal. */
#define AMP_RING_MODULE "\1m" /* of code: its begin, end, offset in the file and bias, the file's path */
#define AMP_RING_PLACE "\1p"  /* the number of its module's name, how far behind its begin; or 0, the address */
#define AMP_RING_STACK "\1s"  /* the numbers of its places' names, the innermost first */

#endif
