/* SPDX-License-Identifier: MIT */
#include "harness/run/quiet_wait.h"

#include "harness/measure/sensor.h"
#include "harness/run/process.h"

#include <sched.h>

#define FIRST_NS 3000000000.0
#define QUIET_FOR_NS 2000000u

void amp_quiet_wait_begin(struct amp_quiet_wait *patience, amp_clock now, uint64_t quiet_ns, double share)
{
    *patience = (struct amp_quiet_wait){ .now = now, .quiet_ns = quiet_ns, .begin_ns = now(), .share = share };
}

static bool is_spent(const struct amp_quiet_wait *patience, uint64_t now_ns)
{
    double busy_ns = (double) (now_ns - patience->begin_ns - patience->waited_ns);

    return patience->share <= 0 || (double) patience->waited_ns > FIRST_NS + patience->share * busy_ns;
}

static void wait_here(struct amp_quiet_wait *patience)
{
    uint64_t last_ns = patience->now(), quiet_since_ns = last_ns;

    while (!is_spent(patience, last_ns) && !amp_process_interrupted()) {
        bool quiet = amp_sensor_is_quiet(amp_sensor_read(patience->now), patience->quiet_ns);
        uint64_t now_ns = patience->now();

        patience->waited_ns += now_ns - last_ns;
        last_ns = now_ns;
        if (!quiet)
            quiet_since_ns = now_ns;
        else if (now_ns - quiet_since_ns >= QUIET_FOR_NS)
            return;
        amp_process_pause(0); /* signals are noticed there */
    }
}

void amp_quiet_wait_core(struct amp_quiet_wait *patience, int cpu)
{
    cpu_set_t allowed, there;

    if (sched_getaffinity(0, sizeof allowed, &allowed)) {
        wait_here(patience);
        return;
    }
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (cpu >= 0 ? i != cpu : !CPU_ISSET((size_t) i, &allowed))
            continue;
        CPU_ZERO(&there);
        CPU_SET((size_t) i, &there);
        (void) sched_setaffinity(0, sizeof there, &there); /* else read on the current CPU */
        wait_here(patience);
    }
    (void) sched_setaffinity(0, sizeof allowed, &allowed); /* it was so before */
}

bool amp_quiet_wait_use(struct amp_quiet_wait *patience, double seconds)
{
    if (is_spent(patience, patience->now()))
        return false;
    patience->waited_ns += (uint64_t) (seconds * 1e9);
    return true;
}
