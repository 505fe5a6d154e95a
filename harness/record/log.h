/* SPDX-License-Identifier: MIT
 *
 * What a recorded process leaves: its calls in their order, in the file that the profiler's region keeps
 * (harness/profile/record/record.h). A record of kind AMP_LOG_CALLS holds up to AMP_LOG_CALLS_EACH of them, in the
 * order in which they took their places: a call that allocates when it has returned, one that frees before it frees. So
 * an address is always given back before it is given out again.
 *
 * `what` is written last: a call that can be seen is whole. */
#ifndef AMP_RECORD_LOG_H
#define AMP_RECORD_LOG_H

#include "harness/profile/record/record.h"

#define AMP_LOG_CALLS 3u /* a kind of record, besides those of a profile */
#define AMP_LOG_CALLS_EACH 65531u /* with them a segment is full, but for a line of the cache */
#define AMP_LOG_LARGE_B 65536u /* of objects of this size, touched pages are counted */

enum amp_log_what {
    AMP_LOG_NOTHING, /* the call had no time to be written */
    AMP_LOG_MALLOC,
    AMP_LOG_CALLOC,
    AMP_LOG_ALIGNED,
    AMP_LOG_FREE,
    AMP_LOG_MOVE,  /* realloc() begins, of this address; the thread's next call is one of the next three */
    AMP_LOG_MOVED, /* it has returned this one; any other call: realloc(p, 0) freed it */
    AMP_LOG_STAYED, /* it failed: the object is where it was */
    /* Of the object at this address, `size` pages are resident; a free or a move follows, or the end. */
    AMP_LOG_TOUCHED,
    AMP_LOG_MEMORY,  /* the process has `size` pages of its own */
    AMP_LOG_BESIDES, /* of these, `size` are not the heap's */
    AMP_LOG_LOST,    /* calls were missed from here on */
};

struct amp_log_call {
    uint64_t address : 48, what : 8, alignment : 8; /* alignment: its logarithm */
    uint64_t size : 48, thread : 16;
};

struct amp_log_calls {
    struct amp_profile_record record;
    uint64_t first; /* number of the first */
    struct amp_log_call calls[AMP_LOG_CALLS_EACH];
};
_Static_assert(sizeof(struct amp_log_calls) % AMP_PROFILE_LINE_B == 0 &&
                   sizeof(struct amp_log_calls) < AMP_PROFILE_SEGMENT_B,
               "the region gives out whole lines, and a segment ends with a record of kind 0");

#endif
