/* SPDX-License-Identifier: MIT
 *
 * A line of the cache between two threads. What a round trip takes is told by a clock that plays the other thread: it
 * hands the line back when it is read, so each trip takes as long as one of its readings. With real threads only that
 * both come back, whatever the other does. */
#include "harness/measure/round_trip.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define GROUPS 7
#define TRIPS 20

static struct amp_round_trip trip;
static uint64_t now_ns, answers;

/* A microsecond a reading, and the line comes back with it. */
static uint64_t answering_clock(void)
{
    uint64_t line = atomic_load(&trip.line);

    if (line % 2 == 1 && line != UINT64_MAX) {
        atomic_store(&trip.line, line + 1);
        answers++;
    }
    return now_ns += 1000;
}

static void test_a_mean_over_trips(void **state)
{
    (void) state;
    now_ns = answers = 0;
    amp_round_trip_begin(&trip);
    /* A group is twenty readings of trips, and the one that ends it. */
    assert_int_equal(amp_round_trip_serve(&trip, answering_clock), 1000 * (TRIPS + 1) / TRIPS);
    assert_int_equal(answers, GROUPS * TRIPS);
    assert_int_equal(now_ns, 1000 * (1 + GROUPS * (TRIPS + 2)));
    assert_true(atomic_load(&trip.line) == UINT64_MAX); /* the other is sent home */
}

static uint64_t standing_clock(void)
{
    return 7;
}

static void *answer(void *argument)
{
    (void) argument;
    amp_round_trip_return(&trip);
    return NULL;
}

static void *watch(void *argument)
{
    uint64_t *most = argument, line;

    while ((line = atomic_load(&trip.line)) != UINT64_MAX) {
        *most = line > *most ? line : *most;
        sched_yield();
    }
    return NULL;
}

static uint64_t serve(void *(*other)(void *), void *argument, amp_clock now)
{
    pthread_t thread;
    uint64_t ns;

    amp_round_trip_begin(&trip);
    assert_int_equal(pthread_create(&thread, NULL, other, argument), 0);
    ns = amp_round_trip_serve(&trip, now);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return ns;
}

/* By a clock on which no time ever is over: all trips are made, in no time, which reads as the least there is. */
static void test_two_threads_play(void **state)
{
    (void) state;
    for (int i = 0; i < 3; i++) /* on a single CPU each trip waits for time slices */
        assert_int_equal(serve(answer, NULL, standing_clock), 1);
}

static uint64_t passing_clock(void)
{
    return now_ns += 1000;
}

static void test_who_gets_no_answer_gives_up(void **state)
{
    uint64_t most = 0;

    (void) state;
    now_ns = 0;
    assert_int_equal(serve(watch, &most, passing_clock), 0);
    assert_in_range(now_ns, 20000000, 20010000);
    assert_in_range(most, 0, 1); /* the first ball lay there all the time */
}

static void test_who_comes_too_late_goes_home(void **state)
{
    (void) state;
    now_ns = 0;
    amp_round_trip_begin(&trip);
    assert_int_equal(amp_round_trip_serve(&trip, passing_clock), 0); /* nobody is there */
    amp_round_trip_return(&trip);                                    /* comes back at once */
    assert_true(atomic_load(&trip.line) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mean_over_trips),
        cmocka_unit_test(test_two_threads_play),
        cmocka_unit_test(test_who_gets_no_answer_gives_up),
        cmocka_unit_test(test_who_comes_too_late_goes_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
