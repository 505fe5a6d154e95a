/* SPDX-License-Identifier: MIT
 *
 * What each thread of the profiled process keeps. */
#ifndef AMP_PROFILE_THREAD_H
#define AMP_PROFILE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a variable that each allocation reads: they stand together, in few lines of the cache. */
#define AMP_HOT __attribute__((section("ampersand_hot")))

/* What the thread is doing: calls of malloc that come meanwhile are not the program's. */
enum amp_doing {
    AMP_OUTSIDE,
    AMP_IN_CALL,   /* in the real malloc: what it calls belongs to the call that is counted */
    AMP_COUNTING,  /* only a signal handler can come here, and is not counted */
    AMP_LOOKING_UP /* what the dynamic loader allocates for us */
};

/* What the call is that is being counted, beside malloc(): for what records calls. */
enum amp_call { AMP_CALL_PLAIN, AMP_CALL_ZEROED, AMP_CALL_ALIGNED, AMP_CALL_MOVED };

struct amp_thread {
    enum amp_doing doing;
    enum amp_call call;
    size_t alignment;    /* of AMP_CALL_ALIGNED */
    bool has_ended;      /* it has given `seen` back, or can have none */
    uintptr_t low, high; /* of the stack that it was last seen on */
    struct amp_seen *seen; /* stacks that it had lately; NULL: none yet */
    struct amp_budget_state *budget; /* NULL: none is being kept */
    uint64_t passing_b;    /* preload/sampling.h: to be asked for before an allocation is recorded; 0: each is */
    const uint16_t *marks; /* where an address has none, its object is not known; NULL: it may be */
    uint64_t random;       /* what the next random number is made from; 0: none was needed */
};

/* In the block that exists before any code of the thread runs: reading it allocates nothing. */
extern __thread struct amp_thread amp_thread __attribute__((tls_model("initial-exec")));

#endif
