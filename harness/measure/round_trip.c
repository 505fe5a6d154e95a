/* SPDX-License-Identifier: MIT */
#include "harness/measure/round_trip.h"

#include <stdbool.h>
#include <stdlib.h>

enum { GROUPS = 7, TRIPS = 20, SPINS = 1000 };
#define PATIENCE_NS 20000000u /* for all trips together: a few time slices */
#define OVER UINT64_MAX

void amp_round_trip_begin(struct amp_round_trip *trip)
{
    atomic_store(&trip->line, 0);
}

/* Wait for the other thread's answer; false if the time is over first. */
static bool await(struct amp_round_trip *trip, uint64_t answer, amp_clock now, uint64_t end_ns)
{
    for (unsigned spins = 1; atomic_load_explicit(&trip->line, memory_order_acquire) != answer; spins++)
        if (spins % SPINS == 0 && now() > end_ns)
            return false;
    return true;
}

uint64_t amp_round_trip_serve(struct amp_round_trip *trip, amp_clock now)
{
    uint64_t ns[GROUPS], ball = 0, end_ns = now() + PATIENCE_NS;
    bool answered = true;

    for (int group = 0; group < GROUPS && answered; group++) {
        uint64_t begin_ns = now();

        for (int i = 0; i < TRIPS && answered; i++, ball += 2) {
            atomic_store_explicit(&trip->line, ball + 1, memory_order_release);
            answered = await(trip, ball + 2, now, end_ns);
        }
        ns[group] = (now() - begin_ns) / TRIPS;
    }
    atomic_store(&trip->line, OVER);
    if (!answered)
        return 0;
    qsort(ns, GROUPS, sizeof ns[0], amp_compare_ns);
    return ns[GROUPS / 2] > 0 ? ns[GROUPS / 2] : 1; /* by a clock of coarse steps */
}

void amp_round_trip_return(struct amp_round_trip *trip)
{
    uint64_t ball = 1, seen;

    while ((seen = atomic_load_explicit(&trip->line, memory_order_acquire)) != OVER)
        if (seen == ball && atomic_compare_exchange_strong(&trip->line, &seen, ball + 1)) /* it may have given up */
            ball += 2;
}
