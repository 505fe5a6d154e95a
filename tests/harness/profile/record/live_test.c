/* SPDX-License-Identifier: MIT
 *
 * Objects are found by their addresses, wherever these lie, as in a plain list of them. */
#include "harness/profile/record/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE ((uintptr_t) 1 << AMP_NEAR_STRETCH_BITS)
#define SAME_STRETCH (AMP_NEAR_STRETCHES * PAGE) /* from one page to the next that would have its stretch */
#define OBJECTS 4096
#define TURNS 400000

/* In pages that have stretches and in those that come too late; on each 8 bytes; and far out. */
static uintptr_t address_of(unsigned i)
{
    const uintptr_t base = i % 4 == 3 ? (uintptr_t) 0x7f0000000000 : (uintptr_t) 0x555500000000;

    return base + i % 4 * SAME_STRETCH + i / 4 % 16 * PAGE + i / 64 * 24;
}

static void test_as_a_plain_list(void **unused)
{
    static uint32_t births[OBJECTS]; /* 0: no object */
    uint64_t random = 1;

    (void) unused;
    for (unsigned turn = 1; turn <= TURNS; turn++) {
        unsigned i;

        random = random * 6364136223846793005u + 1442695040888963407u;
        i = (unsigned) (random >> 40) % OBJECTS;
        if (random >> 33 & 1) {
            uint32_t replaced = 99;

            assert_true(amp_live_add(address_of(i), turn, &replaced));
            assert_int_equal(replaced, births[i]);
            births[i] = turn;
        } else {
            assert_int_equal(amp_live_remove(address_of(i)), births[i]);
            births[i] = 0;
        }
    }
    for (unsigned i = 0; i < OBJECTS; i++)
        assert_int_equal(amp_live_remove(address_of(i)), births[i]);
}

static void test_where_they_are(void **unused)
{
    const uintptr_t first = address_of(0), other = first + SAME_STRETCH;
    uint32_t replaced;

    (void) unused;
    assert_true(amp_live_add(first, 1, &replaced) && amp_live_add(other, 2, &replaced));
    assert_non_null(amp_near_at(first));
    assert_non_null(amp_near_at(first + 16));
    assert_ptr_not_equal(amp_near_at(first), amp_near_at(first + 16));
    assert_null(amp_near_at(first + 8)); /* no granule */
    assert_null(amp_near_at(other));     /* it came too late */
    assert_int_equal(*amp_near_at(first), 1);
    assert_int_equal(amp_live_remove(other), 2);
    assert_int_equal(amp_live_remove(first), 1);
}

static void test_no_place(void **unused)
{
    uint32_t replaced;

    (void) unused;
    assert_false(amp_live_add(address_of(0) + 4, 1, &replaced)); /* no allocator's */
    assert_int_equal(amp_live_remove(address_of(0) + 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_where_they_are), cmocka_unit_test(test_as_a_plain_list),
                                        cmocka_unit_test(test_no_place) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
