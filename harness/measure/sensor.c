/* SPDX-License-Identifier: MIT */
#include "harness/measure/sensor.h"

#include <stdlib.h>
#include <time.h>

enum { LOOPS = 7, STEPS = 1200, ASLEEP_NS = 200000 };

/* Ten operations a step, independent of each other. Aligned, so that it stands at the same place within a cache line in
 * every program: one program calibrates it, another reads it. */
__attribute__((noinline, aligned(64))) static uint64_t loop_ns(amp_clock now)
{
    uint64_t a = 1, b = 2, c = 3, d = 4, begin_ns = now();

    for (uint64_t i = STEPS; i > 0; i--) {
        uint64_t e = i * 3, f = i ^ 99;

        a += i;
        b ^= i;
        c += 3;
        d ^= 5;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d) : "r"(e), "r"(f)); /* compute all of them */
        a += 1;
        b += 2;
        c ^= 3;
        d += 7;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
    }
    return now() - begin_ns;
}

uint64_t amp_sensor_read(amp_clock now)
{
    uint64_t ns[LOOPS];

    for (int i = 0; i < LOOPS; i++)
        ns[i] = loop_ns(now);
    qsort(ns, LOOPS, sizeof ns[0], amp_compare_ns);
    return ns[LOOPS / 2];
}

uint64_t amp_sensor_read_beside(unsigned others)
{
    const struct timespec pause = { 0, ASLEEP_NS };

    if (others > 0)
        nanosleep(&pause, NULL);
    return amp_sensor_read(amp_clock_monotonic);
}

uint64_t amp_sensor_calibrate(amp_clock now, uint64_t for_ns)
{
    uint64_t begin_ns = now(), least_ns = UINT64_MAX;

    do {
        uint64_t ns = amp_sensor_read(now);

        least_ns = ns < least_ns ? ns : least_ns;
    } while (now() - begin_ns < for_ns);
    return least_ns > 0 ? least_ns : 1; /* by a clock of coarse steps */
}
