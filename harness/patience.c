/* SPDX-License-Identifier: MIT */
#include "harness/patience.h"

#include "harness/process.h"
#include "harness/sensor.h"

#include <sched.h>
#include <stdbool.h>

#define SHARE 0.25             /* of the time that the run has taken without waiting */
#define FIRST_NS 10000000000.0 /* and so much from the beginning */
enum { IN_A_ROW = 3 };

void amp_patience_begin(struct amp_patience *patience, uint64_t quiet_ns)
{
    *patience = (struct amp_patience){ .quiet_ns = quiet_ns, .begin_ns = amp_clock_monotonic() };
}

static bool is_spent(const struct amp_patience *patience, uint64_t now_ns)
{
    double busy_ns = (double) (now_ns - patience->begin_ns - patience->waited_ns);

    return (double) patience->waited_ns > FIRST_NS + SHARE * busy_ns;
}

static void wait_here(struct amp_patience *patience)
{
    uint64_t last_ns = amp_clock_monotonic();
    int quiet = 0;

    while (!is_spent(patience, last_ns) && !amp_process_interrupted()) {
        uint64_t now_ns;

        quiet = amp_sensor_is_quiet(amp_sensor_read(amp_clock_monotonic), patience->quiet_ns) ? quiet + 1 : 0;
        if (quiet == IN_A_ROW)
            return;
        amp_process_pause(1);
        now_ns = amp_clock_monotonic();
        patience->waited_ns += now_ns - last_ns;
        last_ns = now_ns;
    }
}

void amp_patience_wait(struct amp_patience *patience, int cpu)
{
    cpu_set_t allowed, there;
    bool moved = false;

    if (cpu >= 0 && !sched_getaffinity(0, sizeof allowed, &allowed)) {
        CPU_ZERO(&there);
        CPU_SET((size_t) cpu, &there);
        moved = !sched_setaffinity(0, sizeof there, &there);
    }
    wait_here(patience);
    if (moved)
        (void) sched_setaffinity(0, sizeof allowed, &allowed); /* it was so before */
}

void amp_patience_say(const struct amp_patience *patience, struct amp_progress *progress)
{
    if (patience->waited_ns >= 1000000000)
        amp_progress_say(progress, "waited %.0f s for a quiet core", (double) patience->waited_ns / 1e9);
}
