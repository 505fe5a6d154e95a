/* SPDX-License-Identifier: MIT
 *
 * The order in which the sides of a block take turns: what one side could gain by it, the other gains as often. */
#include "harness/ab/launch/block.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SHORT = 16, LONG = 2, ROUNDS = SHORT + LONG, GROUP = 4, SEEDS = 60 };

/* The steps of one block; its processes end at once, since there is no module. */
static void plan(struct amp_ab_turns *turns, int fd, size_t same_pages, uint64_t seed)
{
    static uint64_t ns[2][ROUNDS];
    const struct amp_ab_task task = { .kernel = "k", .modules = "/nowhere", .long_times = 10 };
    const struct amp_ab_duel duel = { .task = &task, .turns = turns, .fd = fd, .same_pages = same_pages };
    struct amp_block block = { .ns = { ns[0], ns[1] }, .rounds = ROUNDS, .ops = 1 };

    assert_int_equal(amp_ab_block_run(&duel, 0, LONG, &block, &seed), -ECHILD);
}

static bool is(const struct amp_ab_step *step, enum amp_ab_what what)
{
    return step->what == (uint8_t) what;
}

/* An epoch behind a step of the same side finds warmer caches. Counts these by side in each group of rounds. */
static void count_warmer(const struct amp_ab_turns *turns, int warmer[SHORT / GROUP][2])
{
    for (uint32_t i = 1; i < turns->n; i++) {
        const struct amp_ab_step *step = &turns->steps[i];

        if (is(step, AMP_AB_EPOCH) && step->round < SHORT && step[-1].who == step->who)
            warmer[step->round / GROUP][step->who]++;
    }
}

static void test_neither_side_finds_warmer_caches_more_often(void **state)
{
    struct amp_ab_turns *turns;
    int fd, firsts[2] = { 0, 0 };

    (void) state;
    assert_int_equal(amp_ab_turns_map(&turns, &fd), 0);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        int warmer[SHORT / GROUP][2] = { { 0 } };

        plan(turns, fd, GROUP, seed);
        count_warmer(turns, warmer);
        for (int group = 0; group < SHORT / GROUP; group++) {
            assert_int_equal(warmer[group][0], 1);
            assert_int_equal(warmer[group][1], 1);
        }
        firsts[turns->steps[0].who]++;
    }
    assert_true(firsts[0] > SEEDS / 6 && firsts[1] > SEEDS / 6);
    amp_ab_turns_unmap(turns, fd);
}

static void test_what_prepares_a_round_goes_in_its_order(void **state)
{
    static const size_t same_pages[] = { GROUP, 2 * GROUP, 6 };
    struct amp_ab_turns *turns;
    int fd;

    (void) state;
    assert_int_equal(amp_ab_turns_map(&turns, &fd), 0);
    for (size_t k = 0; k < sizeof same_pages / sizeof same_pages[0]; k++) {
        uint32_t first = 0, redealt = 0;

        plan(turns, fd, same_pages[k], k + 1);
        for (uint32_t i = 0; i < turns->n; i++) {
            if (is(&turns->steps[i], AMP_AB_EPOCH)) {
                assert_int_equal(turns->steps[first].who, turns->steps[i].who);
                first = i + 1;
                while (first < turns->n && is(&turns->steps[first], AMP_AB_EPOCH))
                    first++;
                i = first - 1;
            } else if ((i - first) % 2) {
                assert_int_not_equal(turns->steps[i].who, turns->steps[i - 1].who);
                assert_int_equal(turns->steps[i].what, turns->steps[i - 1].what);
                redealt += is(&turns->steps[i], AMP_AB_REDEAL);
            }
        }
        assert_int_equal(redealt, (SHORT - 1) / same_pages[k]);
    }
    amp_ab_turns_unmap(turns, fd);
}

static void test_a_round_has_an_epoch_of_each_side(void **state)
{
    struct amp_ab_turns *turns;
    int fd, epochs[ROUNDS][2] = { { 0 } };

    (void) state;
    assert_int_equal(amp_ab_turns_map(&turns, &fd), 0);
    plan(turns, fd, GROUP, 1);
    for (uint32_t i = 0; i < turns->n; i++)
        if (is(&turns->steps[i], AMP_AB_EPOCH)) {
            epochs[turns->steps[i].round][turns->steps[i].who]++;
            assert_int_equal(turns->steps[i].times, turns->steps[i].round < SHORT ? 1 : 10);
        }
    for (int round = 0; round < ROUNDS; round++)
        assert_true(epochs[round][0] == 1 && epochs[round][1] == 1);
    amp_ab_turns_unmap(turns, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neither_side_finds_warmer_caches_more_often),
        cmocka_unit_test(test_what_prepares_a_round_goes_in_its_order),
        cmocka_unit_test(test_a_round_has_an_epoch_of_each_side),
    };

    freopen("/dev/null", "w", stderr); /* each block says that there is no module */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
