/* SPDX-License-Identifier: MIT
 *
 * Both ways to compare a stack with one that is remembered see each word that has changed. */
#include "harness/profile/unwind/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 128 /* checks */
#define WORDS 4096

static uintptr_t words[WORDS];
static union {
    struct amp_seen_stack seen;
    char room[sizeof(struct amp_seen_stack) + 2 * MOST * sizeof(uint32_t)];
} kept;
static unsigned places[MOST];

static uint32_t *check_at(unsigned i)
{
    return &kept.seen.checks[i / AMP_SEEN_STEP * 2 * AMP_SEEN_STEP + i % AMP_SEEN_STEP];
}

/* Some words, far apart, the first and the last among them. */
static void remember(unsigned n)
{
    kept.seen.n_checks = n;
    for (unsigned i = 0; i < n; i++) {
        places[i] = i == 0 ? 0 : i == 1 ? WORDS - 1 : i * 31;
        words[places[i]] = ((uintptr_t) rand() << 31) + (uintptr_t) rand();
        check_at(i)[0] = (uint32_t) (places[i] * sizeof *words);
        check_at(i)[AMP_SEEN_STEP] = (uint32_t) words[places[i]];
    }
}

static bool can_gather(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2");
#else
    return true;
#endif
}

static void expect(bool same)
{
    assert_int_equal(amp_seen_is_same_singly(&kept.seen, (uintptr_t) words), same);
    if (can_gather())
        assert_int_equal(amp_seen_is_same_gathered(&kept.seen, (uintptr_t) words), same);
}

static void test_each_word_counts(void **unused)
{
    (void) unused;
    for (unsigned n = AMP_SEEN_STEP; n <= MOST; n += AMP_SEEN_STEP) {
        remember(n);
        expect(true);
        for (unsigned i = 0; i < n; i++)
            for (unsigned bit = 0; bit < 32; bit += 31) {
                words[places[i]] ^= (uintptr_t) 1 << bit;
                expect(false);
                words[places[i]] ^= (uintptr_t) 1 << bit;
            }
        words[5] = ~words[5]; /* none of them */
        expect(true);
    }
}

/* The check that failed is asked first the next time. */
static void test_learning(void **unused)
{
    (void) unused;
    remember(MOST);
    for (unsigned i = 0; i < MOST; i++) {
        words[places[i]]++;
        amp_seen_learn(&kept.seen, (uintptr_t) words);
        assert_int_equal(kept.seen.quick.offset_b, places[i] * sizeof *words);
        assert_int_equal(kept.seen.quick.lower + 1, (uint32_t) words[places[i]]);
        words[places[i]]--;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_word_counts), cmocka_unit_test(test_learning) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
