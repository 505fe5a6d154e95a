/* SPDX-License-Identifier: MIT
 *
 * Whether the kernel has looked at the timers of this thread's CPU time. It looks at all of them at once, and at its
 * own ticks only, as late as it likes: so after a look, the profiler knows of all time before. A timer that expires
 * once is asked, and says 0 when the kernel has seen it. Its signal is ignored. */
#ifndef AMP_TEST_LOOKS_H
#define AMP_TEST_LOOKS_H

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define KNOWN_MS 2 /* a look was so long ago at most where it is seen */

struct looks {
    timer_t timer;
    double begin_ms, now_ms;
};

static inline double thread_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

/* For the first look after so much more of this thread's time. */
static inline void looks_expect(struct looks *looks, double ms)
{
    const long ns = 1 + (long) (ms * 1e6);
    const struct itimerspec once = { .it_value = { ns / 1000000000, ns % 1000000000 } };

    if (timer_settime(looks->timer, 0, &once, NULL))
        abort();
}

static inline void looks_begin(struct looks *looks, double ms)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };

    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &looks->timer))
        abort();
    looks_expect(looks, ms);
    looks->begin_ms = looks->now_ms = thread_ms();
}

/* Whether it has come. Where the thread took more than KNOWN_MS since the last question, as on a virtual machine that
 * was stopped meanwhile, nobody knows when: another one is waited for. */
static inline bool looks_came(struct looks *looks)
{
    const double before_ms = looks->now_ms;
    struct itimerspec left;

    timer_gettime(looks->timer, &left);
    looks->now_ms = thread_ms();
    if (left.it_value.tv_sec > 0 || left.it_value.tv_nsec > 0)
        return false;
    if (looks->now_ms - before_ms <= KNOWN_MS)
        return true;
    looks_expect(looks, 0);
    return false;
}

/* What this thread took from looks_begin() to the look. */
static inline double looks_end_ms(struct looks *looks)
{
    timer_delete(looks->timer);
    return looks->now_ms - looks->begin_ms;
}

#endif
