/* SPDX-License-Identifier: MIT
 *
 * How far apart are the CPUs of two threads?
 *
 *     thread 0   odd ------ store ----.        .--- load: even ---> once more
 *     thread 1              load: odd `-> even `
 *
 * A line of the cache, from one to the other and back: on a virtual machine five times as long a few seconds later, for
 * its host puts the CPUs where there is room, under one cache or not, and nothing else in the guest tells. What threads
 * share costs as many times more then, so their times are compared where they were equally far apart. */
#ifndef AMP_ROUND_TRIP_H
#define AMP_ROUND_TRIP_H

#include "harness/measure/rounds.h"

#include <stdatomic.h>

struct amp_round_trip {
    _Alignas(128) _Atomic uint64_t line; /* with its neighbour, which is fetched along with it */
};

void amp_round_trip_begin(struct amp_round_trip *trip);

/* Both at once, each in its thread, after a begin that both have seen. The first returns nanoseconds of a round trip, the
 * median of a few means over some trips each; 0 where the other did not answer in time, as on one and the same CPU. */
uint64_t amp_round_trip_serve(struct amp_round_trip *trip, amp_clock now);
void amp_round_trip_return(struct amp_round_trip *trip);

#endif
