/* SPDX-License-Identifier: MIT
 *
 * Callgrind's totals as events, and what is none; the processor's counters by a kernel of the test's own. */
#include "harness/counters/events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define ALL "events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw Bc Bcm Bi Bim\n"

static void test_dumps(void **state)
{
    static const struct {
        const char *name, *text;
        int err;
        int64_t want[AMP_EVENTS];
    } rows[] = {
        { "every column", "version: 1\n" ALL "fn=x\n1 2 3\ntotals: 900 70 50 1 2 3 4 5 6 100 7 10 20\n", 0,
          { 900, 70, 50, 110, 27, 5 } },
        { "zeros at the end left out", ALL "totals: 900 70\n", 0, { 900, 70, 0, 0, 0, 0 } },
        { "another order", "events: Dw Dr Ir Bim Bi Bcm Bc D1mw D1mr\ntotals: 1 2 3 4 5 6 7 8 9\n", 0,
          { 3, 2, 1, 12, 10, 17 } },
        { "no simulation", "events: Ir\ntotals: 5\n", -EPROTO, { 0 } },
        { "no totals", ALL "summary: 5\n", -EPROTO, { 0 } },
        { "no events", "totals: 5\n", -EPROTO, { 0 } },
        { "a word", ALL "totals: many\n", -EPROTO, { 0 } },
        { "a negative number", ALL "totals: 5 -3\n", -EPROTO, { 0 } },
        { "garbage", "\x01\x02 no counts here", -EPROTO, { 0 } },
        { "nothing", "", -EPROTO, { 0 } },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_events events;
        int err = amp_events_parse(rows[i].text, &events);

        if (err != rows[i].err || (!err && memcmp(events.n, rows[i].want, sizeof events.n) != 0))
            fail_msg("%s: %d", rows[i].name, err);
    }
}

/* A processor: which counters it has, and what each of them reads. */
static int64_t reads[AMP_EVENTS];
static size_t opened;
static int enabled;

static int open_fake(uint32_t type, uint64_t config)
{
    int64_t n = reads[opened++];
    int fd;

    (void) type;
    (void) config;
    if (n == AMP_UNKNOWN)
        return -ENOENT;
    fd = memfd_create("counter", MFD_CLOEXEC);
    assert_int_equal(write(fd, &n, sizeof n), sizeof n);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static int control_fake(int fd, unsigned long request)
{
    (void) fd;
    enabled += request == PERF_EVENT_IOC_ENABLE ? 1 : request == PERF_EVENT_IOC_DISABLE ? -1 : 0;
    return 0;
}

static void test_processors(void **state)
{
    static const struct amp_events_system fake = { open_fake, control_fake };
    static const struct {
        const char *name;
        int64_t reads[AMP_EVENTS];
        enum amp_source source;
        int running;
    } rows[] = {
        { "counts everything", { 1000, 70, 50, 110, 27, 5 }, AMP_PROCESSOR, 6 },
        { "counts no stores", { 1000, 70, AMP_UNKNOWN, 110, 27, 5 }, AMP_PROCESSOR, 5 },
        { "counts instructions only", { 9, AMP_UNKNOWN, AMP_UNKNOWN, AMP_UNKNOWN, AMP_UNKNOWN, AMP_UNKNOWN },
          AMP_PROCESSOR, 1 },
        { "has no counters", { AMP_UNKNOWN, AMP_UNKNOWN, AMP_UNKNOWN, AMP_UNKNOWN, AMP_UNKNOWN, AMP_UNKNOWN },
          AMP_NO_SOURCE, 0 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_events events;

        memcpy(reads, rows[i].reads, sizeof reads);
        opened = 0;
        enabled = 0;
        if (amp_events_open(&fake) != rows[i].source)
            fail_msg("%s", rows[i].name);
        if (rows[i].source == AMP_NO_SOURCE)
            continue;
        amp_events_begin();
        assert_int_equal(enabled, rows[i].running);
        assert_int_equal(amp_events_end("", &events), 0);
        assert_int_equal(enabled, 0);
        if (memcmp(events.n, rows[i].reads, sizeof events.n) != 0)
            fail_msg("%s: other numbers", rows[i].name);
        assert_int_equal(amp_events_open(NULL), AMP_NO_SOURCE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dumps),
        cmocka_unit_test(test_processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
