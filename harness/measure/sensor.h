/* SPDX-License-Identifier: MIT
 *
 * Does something else run on this core right now?
 *
 *     core   thread 0   this program         | full speed |  .5 to .8 of it  | full speed |
 *            thread 1   anybody              |            | xxxxxxxxxxxxxxxx |            |
 *
 * A CPU of a virtual machine is often one hardware thread of a core. The other thread belongs to another guest, or is
 * this guest's second CPU. While that one computes, code with many independent instructions takes up to twice as long,
 * for milliseconds to seconds. Neither steal time nor a counter in the guest shows it. A loop that fills the execution
 * units of the core without touching memory does: its time is the sensor's reading.
 *
 * How much other code slows down meanwhile depends on that code, so no time is corrected by the reading. What was
 * measured meanwhile is measured again, or left out if enough else remains (plots/stats/sensor.py). That choice never
 * looks at the measured time.
 *
 * The reading of a quiet core is found once for a run, on any CPU: all CPUs of a machine are taken to be equally fast,
 * in an hour, too. A core that is slower by a tenth counts as disturbed. The sensor does not see what cores share:
 * memory bandwidth, the last level of cache. */
#ifndef AMP_SENSOR_H
#define AMP_SENSOR_H

#include "harness/measure/rounds.h"

#include <stdbool.h>

/* One reading: nanoseconds, about a thousand on a quiet core. The median of seven loops, so that an interrupt in three
 * of them does not matter. No system call but the clock, no allocation. */
uint64_t amp_sensor_read(amp_clock now);

/* The same beside code that has `others` threads of its own: waits until these sleep, or they would read as a
 * neighbour. Uses amp_clock_monotonic. */
uint64_t amp_sensor_read_beside(unsigned others);

/* The least reading in that time: the reading of a quiet core, if it was quiet for a few microseconds. */
uint64_t amp_sensor_calibrate(amp_clock now, uint64_t for_ns);

#define AMP_CALIBRATE_NS 500000000u /* for a run: longer than most neighbours compute without a pause */

/* Is the reading at most a tenth above that of a quiet core? */
static inline bool amp_sensor_is_quiet(uint64_t reading_ns, uint64_t quiet_ns)
{
    return reading_ns <= quiet_ns + quiet_ns / 10;
}

#endif
