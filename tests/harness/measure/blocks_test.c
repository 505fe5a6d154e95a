/* SPDX-License-Identifier: MIT
 *
 * Which blocks are measured again, and which attempt is kept; on a clock of our own, whose every call takes one loop of
 * the sensor, longer in stretches that we say. A kernel takes a millisecond, and one microsecond more in each block
 * that is measured: so a block's times tell which attempt they are of. */
#include "harness/measure/blocks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 4, ROUNDS = 2, QUIET_NS = 990, LOUD_NS = 1900, LOUDER_NS = 2900, US = 1000 };
#define MS 1000000ull
#define EVER UINT64_MAX

struct stretch {
    uint64_t from_ns, to_ns, loop_ns;
};

static struct {
    uint64_t now_ns;
    const struct stretch *busy; /* the first that holds counts */
    uint64_t measured;          /* blocks so far */
    size_t disagrees_at;        /* the block; N: none */
} fake;

static uint64_t fake_clock(void)
{
    uint64_t loop_ns = QUIET_NS;

    for (int i = 1; i >= 0; i--)
        if (fake.now_ns >= fake.busy[i].from_ns && fake.now_ns < fake.busy[i].to_ns)
            loop_ns = fake.busy[i].loop_ns;
    return fake.now_ns += loop_ns;
}

static uint64_t run(void *fixture, uint64_t ops)
{
    if (ops > 1) /* one: it warms up */
        fake.now_ns += MS + fake.measured * US;
    return fixture ? ops : 0;
}

static void kernels(const void *context, size_t block, struct amp_kernel out[2])
{
    fake.measured++;
    out[0] = (struct amp_kernel){ run, (void *) context };
    out[1] = (struct amp_kernel){ run, block == fake.disagrees_at ? NULL : (void *) context };
}

/* A block takes four milliseconds and the first pass 16. */
static const struct {
    const char *name;
    struct stretch busy[2];
    size_t disagrees_at;
    int err;
    unsigned attempts[N];
    uint64_t kept[N]; /* the how many-th block that was measured; 0: any */
} rows[] = {
    { "quiet", { { 0 } }, N, 0, { 1, 1, 1, 1 }, { 1, 2, 3, 4 } },
    { "before the first", { { 0, MS, LOUD_NS } }, N, 0, { 2, 1, 1, 1 }, { 5, 2, 3, 4 } },
    { "behind the first, so before the second", { { 4 * MS, 4 * MS + 75 * US, LOUD_NS } }, N, 0, { 2, 2, 1, 1 },
      { 5, 6, 3, 4 } },
    { "only while it ran, which nobody sees", { { MS, 2 * MS, LOUD_NS } }, N, 0, { 1, 1, 1, 1 }, { 1, 2, 3, 4 } },
    { "until the second pass is over", { { 0, 33 * MS, LOUD_NS } }, N, 0, { 3, 2, 2, 2 }, { 0 } },
    { "for ever: 20 ms of patience", { { 0, EVER, LOUD_NS } }, N, 0, { 3, 2, 2, 2 }, { 1, 2, 3, 4 } },
    { "for ever, and louder at first: the quietest is kept", { { 0, 5 * MS, LOUDER_NS }, { 5 * MS, EVER, LOUD_NS } },
      N, 0, { 3, 2, 2, 2 }, { 5, 6, 3, 4 } },
    { "the third disagrees", { { 0 } }, 2, -EILSEQ, { 1, 1, 0, 0 }, { 1, 2, 0, 0 } },
};

static void test_which_blocks_are_measured_again(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t ns[2][(N + 1) * ROUNDS], sensor_ns[N], random = 7;
        size_t shifts_b[N];
        unsigned attempts[N];
        struct amp_blocks blocks = { .n = N, .rounds = ROUNDS, .ops = 2, .warmup_ops = 1, .quiet_ns = QUIET_NS,
                                     .kernels = kernels, .context = &fake, .ns = { ns[0], ns[1] },
                                     .sensor_ns = sensor_ns, .shifts_b = shifts_b, .attempts = attempts };

        print_message("  %s\n", rows[i].name);
        memset(&fake, 0, sizeof fake);
        fake.busy = rows[i].busy;
        fake.disagrees_at = rows[i].disagrees_at;
        assert_int_equal(amp_blocks_run(&blocks, fake_clock, &random), rows[i].err);
        for (size_t block = 0; block < N; block++) {
            assert_int_equal(attempts[block], rows[i].attempts[block]);
            for (size_t round = 0; rows[i].kept[block] && round < ROUNDS; round++)
                for (int side = 0; side < 2; side++)
                    assert_in_range(ns[side][block * ROUNDS + round], MS + rows[i].kept[block] * US,
                                    MS + rows[i].kept[block] * US + LOUDER_NS - 1);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_which_blocks_are_measured_again) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
