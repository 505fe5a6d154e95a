/* SPDX-License-Identifier: MIT
 *
 * Does something else run on this core just now?
 *
 *     core   thread 0   this program         | full speed |  .5 to .8 of it  | full speed |
 *            thread 1   anybody              |            | xxxxxxxxxxxxxxxx |            |
 *
 * A CPU of a virtual machine is often one hardware thread of a core, and the other thread is another guest's, or this
 * guest's second CPU. While that one computes, code of many independent instructions takes up to twice as long, for
 * milliseconds to seconds, and neither steal time nor a counter of the guest tells. A loop that fills a core's execution
 * units without touching memory does: its time is the sensor's reading. How much another program's code slows down in
 * such a time hangs on that code, so nothing is corrected by it: what was measured meanwhile is measured again, or left
 * out where enough else is there (plots/stats/sensor.py). That choice never looks at the time that is chosen.
 *
 * What it reads on a quiet core is found out once for a run, on whichever CPU: those of a machine are taken to be alike,
 * and as fast in an hour as now. A core that is slower by a tenth reads as a disturbed one. The sensor is blind for what
 * cores share with each other: memory bandwidth, the last level of cache. */
#ifndef AMP_SENSOR_H
#define AMP_SENSOR_H

#include "harness/measure/rounds.h"

#include <stdbool.h>

/* Nanoseconds, about a thousand where the core is quiet: the median of seven loops, so that an interrupt in three of
 * them is not felt. No system call but the clock, no allocation. */
uint64_t amp_sensor_read(amp_clock now);

/* A reading of the machine's clock beside code that has `others` threads of its own: these are given time to fall
 * asleep, or they would be taken for a neighbour. */
uint64_t amp_sensor_read_beside(unsigned others);

/* The least reading within so much time: that of a quiet core, if it was quiet for a few microseconds of it. */
uint64_t amp_sensor_calibrate(amp_clock now, uint64_t for_ns);

#define AMP_CALIBRATE_NS 500000000u /* for a run: longer than neighbours are mostly busy at a stretch */

/* Whether a reading is within a tenth of that of a quiet core. */
static inline bool amp_sensor_is_quiet(uint64_t reading_ns, uint64_t quiet_ns)
{
    return reading_ns <= quiet_ns + quiet_ns / 10;
}

#endif
