/* SPDX-License-Identifier: MIT */
#include "harness/run/quiet_wait.h"

#include "harness/measure/sensor.h"
#include "harness/run/process.h"

#include <sched.h>

#define FIRST_NS 3000000000.0
#define QUIET_FOR_NS 2000000u

void amp_quiet_wait_begin(struct amp_quiet_wait *wait, amp_clock now, uint64_t quiet_ns, double share)
{
    *wait = (struct amp_quiet_wait){ .now = now, .quiet_ns = quiet_ns, .begin_ns = now(), .share = share };
}

static bool is_spent(const struct amp_quiet_wait *wait, uint64_t now_ns)
{
    double busy_ns = (double) (now_ns - wait->begin_ns - wait->waited_ns);

    return wait->share <= 0 || (double) wait->waited_ns > FIRST_NS + wait->share * busy_ns;
}

static void wait_here(struct amp_quiet_wait *wait)
{
    uint64_t last_ns = wait->now(), quiet_since_ns = last_ns;

    while (!is_spent(wait, last_ns) && !amp_process_interrupted()) {
        bool quiet = amp_sensor_is_quiet(amp_sensor_read(wait->now), wait->quiet_ns);
        uint64_t now_ns = wait->now();

        wait->waited_ns += now_ns - last_ns;
        last_ns = now_ns;
        if (!quiet)
            quiet_since_ns = now_ns;
        else if (now_ns - quiet_since_ns >= QUIET_FOR_NS)
            return;
        amp_process_pause(0); /* signals are noticed there */
    }
}

void amp_quiet_wait_core(struct amp_quiet_wait *wait, int cpu)
{
    cpu_set_t allowed, there;

    if (sched_getaffinity(0, sizeof allowed, &allowed)) {
        wait_here(wait);
        return;
    }
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (cpu >= 0 ? i != cpu : !CPU_ISSET((size_t) i, &allowed))
            continue;
        CPU_ZERO(&there);
        CPU_SET((size_t) i, &there);
        (void) sched_setaffinity(0, sizeof there, &there); /* else read on the current CPU */
        wait_here(wait);
    }
    (void) sched_setaffinity(0, sizeof allowed, &allowed); /* it was so before */
}

bool amp_quiet_wait_use(struct amp_quiet_wait *wait, double seconds)
{
    if (is_spent(wait, wait->now()))
        return false;
    wait->waited_ns += (uint64_t) (seconds * 1e9);
    return true;
}
