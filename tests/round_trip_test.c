/* SPDX-License-Identifier: MIT
 *
 * A line of the cache between two threads: how often it was handed over, by a clock that counts its calls; and that both
 * threads come back whatever the other does. No test looks at how long it really took. */
#include "harness/round_trip.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct amp_round_trip trip;
static uint64_t now_ns;

/* A microsecond a call. */
static uint64_t fake_clock(void)
{
    return now_ns += 1000;
}

static void *answer(void *argument)
{
    (void) argument;
    amp_round_trip_return(&trip);
    return NULL;
}

static void *answer_wrongly(void *argument)
{
    (void) argument;
    while (atomic_load(&trip.line) != UINT64_MAX)
        sched_yield(); /* it watches and hands nothing back */
    return NULL;
}

static uint64_t serve(void *(*other)(void *), amp_clock now)
{
    pthread_t thread;
    uint64_t ns;

    amp_round_trip_begin(&trip);
    assert_int_equal(pthread_create(&thread, NULL, other, NULL), 0);
    ns = amp_round_trip_serve(&trip, now);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return ns;
}

/* Stuck clock or not, the loops count: of each group of 20 the clock is read at its begin and end, once more where the
 * other took a thousand spins. */
static void test_a_group_is_divided_by_its_trips(void **state)
{
    uint64_t ns;

    (void) state;
    now_ns = 0;
    ns = serve(answer, fake_clock);
    if (ns == 0)
        skip(); /* the threads had one CPU, and 20,000 reads of the clock were too few for them */
    assert_in_range(ns, 1000 / 20, 20000000 / 20);
    assert_true(now_ns >= (1 + 2 * 7) * 1000);
}

static void test_who_gets_no_answer_gives_up(void **state)
{
    (void) state;
    now_ns = 0;
    assert_int_equal(serve(answer_wrongly, fake_clock), 0);
    assert_in_range(now_ns, 20000000, 20010000);
}

static void test_who_comes_too_late_goes_home(void **state)
{
    (void) state;
    now_ns = 0;
    amp_round_trip_begin(&trip);
    assert_int_equal(amp_round_trip_serve(&trip, fake_clock), 0); /* nobody is there */
    amp_round_trip_return(&trip);                                 /* comes back at once */
}

static void test_again_and_again(void **state)
{
    (void) state;
    for (int i = 0; i < 100; i++)
        assert_in_range(serve(answer, amp_clock_monotonic), 0, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_group_is_divided_by_its_trips),
        cmocka_unit_test(test_who_gets_no_answer_gives_up),
        cmocka_unit_test(test_who_comes_too_late_goes_home),
        cmocka_unit_test(test_again_and_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
