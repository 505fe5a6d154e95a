/* SPDX-License-Identifier: MIT
 *
 * How far apart are the CPUs of two threads?
 *
 *     thread 0   odd ------ store ----.        .--- load: even ---> once more
 *     thread 1              load: odd `-> even `
 *
 * Time how long a cache line takes from one CPU to the other and back. On a virtual machine that can be five times as
 * long a few seconds later: the host moves the virtual CPUs, under one cache or not, and nothing else in the guest
 * shows it. Data that threads share then costs as many times more. So the times of two launches are compared only if
 * their CPUs were equally far apart. */
#ifndef AMP_ROUND_TRIP_H
#define AMP_ROUND_TRIP_H

#include "harness/measure/rounds.h"

#include <stdatomic.h>

struct amp_round_trip {
    _Alignas(128) _Atomic uint64_t line; /* 128: the next line is fetched along with it */
};

void amp_round_trip_begin(struct amp_round_trip *trip);

/* Call serve() in one thread and return() in the other, at the same time, after begin(). serve() returns the
 * nanoseconds of a round trip (the median of a few means), or 0 if the other thread did not answer in time, as it does
 * if both share a CPU. */
uint64_t amp_round_trip_serve(struct amp_round_trip *trip, amp_clock now);
void amp_round_trip_return(struct amp_round_trip *trip);

#endif
