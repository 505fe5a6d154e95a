/* SPDX-License-Identifier: MIT
 *
 * The clock of events: the processor's counter where it runs evenly, since reading that takes a third of the time. */
#ifndef AMP_TIMELINE_CLOCK_H
#define AMP_TIMELINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static inline uint64_t amp_ticks_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

/* Whether the counter has one rate, on all CPUs and whatever they do (CPUID 80000007h). */
static inline bool amp_ticks_are_even(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
#elif defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

static inline uint64_t amp_ticks(bool are_even)
{
#if defined(__x86_64__)
    if (__builtin_expect(are_even, 1))
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    if (__builtin_expect(are_even, 1)) {
        uint64_t ticks;

        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    }
#endif
    return amp_ticks_monotonic_ns();
}

/* Both clocks at one moment: the closest of a few readings. */
static inline void amp_ticks_pair(bool are_even, uint64_t *ticks, uint64_t *ns)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 8; i++) {
        uint64_t before = amp_ticks(are_even), now = amp_ticks_monotonic_ns(), after = amp_ticks(are_even);

        if (after - before < least) {
            least = after - before;
            *ticks = before + (after - before) / 2;
            *ns = now;
        }
    }
}

#endif
