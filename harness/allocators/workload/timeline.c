/* SPDX-License-Identifier: MIT
 *
 * Memory over time: a burst, and then a service that waits for its next request.
 *
 *     RSS   ____
 *          /    \__                   decay, or none
 *         /        \_______________
 *     ---'
 *     |burst|free|  a few operations now and then, until the end
 *
 * The few operations matter: an allocator without a thread of its own can give memory back only when it is called.
 * Many of these processes run at the same time, since none is timed: they mostly sleep, and share no memory. */
#include "harness/allocators/workload/child.h"
#include "harness/measure/rounds.h"
#include "harness/text/complain.h"

#include <stdio.h>
#include <time.h>

enum { STEPS = 16, BURSTS = 4, EVERY_MS = 20, SAMPLES = 4096, LIGHT_OPS = 500 };

struct timeline {
    const struct amp_workload_task *task;
    const struct amp_workload *burst, *light;
    void *bursts[BURSTS], *service;
    uint64_t begin_ns, idle_ms, t_ms[SAMPLES], rss_b[SAMPLES], burst_end_ms, asked_b;
    size_t n;
    struct amp_memory end;
    struct amp_in_force in_force;
    double seconds;
};

#define FIELD(member) AMP_FIELD(struct timeline, member)
#define EXACT .most = 0x1p53 /* a curve of them is drawn in doubles */
const struct amp_record amp_timeline_record = {
    AMP_FIELDS(AMP_BEHIND("", struct timeline, task, &amp_workload_identity_record),
               AMP_INNER("in_force", struct timeline, in_force, &amp_in_force_record), FIELD(asked_b),
               AMP_FIELD(struct timeline, burst_end_ms, EXACT), AMP_LIST(struct timeline, t_ms, n, EXACT),
               AMP_LIST(struct timeline, rss_b, n, EXACT),
               FIELD(end.peak_rss_b), AMP_FIELD_AS("retained_rss_b", struct timeline, end.rss_b), FIELD(seconds)),
    .schema = "ampersand/timeline/1",
};

static uint64_t passed_ms(const struct timeline *t)
{
    return (amp_clock_monotonic() - t->begin_ns) / 1000000;
}

static bool sample(struct timeline *t)
{
    struct amp_memory memory;

    if (t->n == SAMPLES || !amp_memory_of(0, &memory))
        return false;
    t->t_ms[t->n] = passed_ms(t);
    t->rss_b[t->n++] = memory.rss_b;
    return true;
}

/* Half of a chunk allocates, the other half frees; in small steps, so that samples show the way. */
static bool half_chunk(struct timeline *t)
{
    uint64_t sum = 0;
    bool well = true;

    for (int burst = 0; burst < BURSTS; burst++)
        for (int step = 0; step < STEPS; step++) {
            sum += t->burst->run(t->bursts[burst], 0, t->burst->chunk_ops / 2 / STEPS);
            well = (step % 4 || sample(t)) && well;
        }
    amp_keep(&sum);
    return well;
}

static bool idle(struct timeline *t)
{
    const struct timespec pause = { 0, EVERY_MS * 1000000 };
    uint64_t sum = 0, end_ms = t->burst_end_ms + t->idle_ms;
    bool well = true;

    for (unsigned i = 0; passed_ms(t) < end_ms && well; i++) {
        nanosleep(&pause, NULL);
        sum += t->light->run(t->service, 0, LIGHT_OPS);
        well = i % 5 || sample(t);
    }
    amp_keep(&sum);
    return well;
}

/* After the last sample everything is freed, for leak checkers. */
static void end_service(struct timeline *t)
{
    for (int i = 0; i < BURSTS; i++) {
        t->burst->drain(t->bursts[i]);
        t->burst->tear_down(t->bursts[i]);
    }
    t->light->drain(t->service);
    t->light->tear_down(t->service);
}

int amp_workload_timeline(const struct amp_workload_task *task)
{
    static struct timeline t;
    uint64_t seed = task->seed;
    bool well;

    t.burst = amp_workload_find("burst_idle");
    t.light = amp_workload_find("mixed_churn");
    if (!t.burst || !t.light)
        return amp_complain(2, "timeline", "it wants the workloads burst_idle and mixed_churn");
    t.service = t.light->set_up(amp_random_next(&seed));
    for (int i = 0; i < BURSTS; i++)
        t.bursts[i] = t.burst->set_up(amp_random_next(&seed));
    t.begin_ns = amp_clock_monotonic();
    t.idle_ms = task->timeline_s * 1000ull;
    well = sample(&t) && half_chunk(&t);
    for (int i = 0; i < BURSTS; i++)
        t.asked_b += t.burst->asked_peak_b(t.bursts[i]);
    t.burst_end_ms = passed_ms(&t);
    well = well && half_chunk(&t) && idle(&t) && sample(&t) && amp_memory_of(0, &t.end);
    end_service(&t);
    if (!well)
        return amp_complain(2, "/proc/self/status", "it does not tell this process's memory");
    t.task = task;
    t.in_force = amp_workload_in_force();
    t.seconds = (double) passed_ms(&t) / 1e3;
    return amp_record_save(&amp_timeline_record, &t, task->file);
}
