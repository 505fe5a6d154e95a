/* SPDX-License-Identifier: MIT
 *
 * As much of cmocka as the unit tests of the growable stack use, for where there is no cmocka: other processors, and
 * mutants, of which many are built. The first failure ends the program with 1, and a skipped test counts as passed. */
#ifndef TESTS_PLAIN_CMOCKA_H
#define TESTS_PLAIN_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **);
};

#define cmocka_unit_test(f) { #f, f }
#define cmocka_run_group_tests(tests, up, down) plain_run(tests, sizeof tests / sizeof *tests)

#define plain_fail(...)                                                                                                \
    (fprintf(stderr, "%s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))
#define fail_msg(...) plain_fail(__VA_ARGS__)
#define print_message(...) printf(__VA_ARGS__)
#define skip() return
#define assert_true(x) ((x) ? (void) 0 : plain_fail("%s", #x))
#define assert_false(x) assert_true(!(x))
#define assert_null(x) assert_true((x) == NULL)
#define assert_non_null(x) assert_true((x) != NULL)
#define assert_int_equal(a, b)                                                                                         \
    ((uintmax_t) (a) == (uintmax_t) (b) ? (void) 0                                                                     \
                                        : plain_fail("%s: %jd, not %jd", #a, (intmax_t) (a), (intmax_t) (b)))
#define assert_int_not_equal(a, b) assert_true((uintmax_t) (a) != (uintmax_t) (b))
#define assert_ptr_equal(a, b) assert_true((const void *) (a) == (const void *) (b))
#define assert_string_equal(a, b) (strcmp(a, b) == 0 ? (void) 0 : plain_fail("%s: \"%s\", not \"%s\"", #a, a, b))

static inline int plain_run(const struct CMUnitTest *tests, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tests[i].run(NULL);
    return 0;
}

#endif
