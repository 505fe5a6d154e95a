/* SPDX-License-Identifier: MIT */
#include "harness/text/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Distances worked out by hand; kitten/sitting and saturday/sunday are the textbooks' own. */
static const struct {
    const char *name, *a, *b;
    size_t want;
} distances[] = {
    { "same", "paired", "paired", 0 },
    { "both empty", "", "", 0 },
    { "from nothing", "", "list", 4 },
    { "to nothing", "list", "", 4 },
    { "insertion", "lst", "list", 1 },
    { "deletion", "liist", "list", 1 },
    { "substitution", "lisp", "list", 1 },
    { "swap of neighbours", "apired", "paired", 1 },
    { "swap at the end", "lits", "list", 1 },
    { "two swaps", "apierd", "paired", 2 },
    { "no place is edited twice", "ca", "abc", 3 },
    { "not neighbours", "tsil", "list", 3 },
    { "textbook, substitutions and an insertion", "kitten", "sitting", 3 },
    { "textbook, deletions", "saturday", "sunday", 3 },
    { "case is no difference", "PAIRED", "paired", 0 },
    { "bytes above 127", "\xc3\xa9", "e", 2 },
};

static void test_distances(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(distances); i++) {
        size_t there = amp_suggest_distance(distances[i].a, distances[i].b);
        size_t back = amp_suggest_distance(distances[i].b, distances[i].a);

        if (there != distances[i].want || back != distances[i].want)
            fail_msg("%s: '%s' and '%s': there %zu, back %zu, want %zu", distances[i].name, distances[i].a,
                     distances[i].b, there, back, distances[i].want);
    }
}

static const char *const verbs[] = { "paired", "list", "machine", "help" };

static const struct {
    const char *name, *word;
    size_t limit;
    const char *want; /* NULL: none */
} nearests[] = {
    { "one letter off", "pared", SIZE_MAX, "paired" },
    { "itself", "list", 0, "list" },
    { "the first of equals", "l", SIZE_MAX, "list" },
    { "any, without a limit", "zzzzzzzzzz", SIZE_MAX, "paired" },
    { "at the limit", "hlp", 1, "help" },
    { "beyond the limit", "hl", 1, NULL },
    { "empty word", "", 3, NULL },
    { "empty word, shortest name", "", 4, "list" },
};

static void test_nearest(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(nearests); i++) {
        const char *got = amp_suggest(nearests[i].word, verbs, COUNT(verbs), nearests[i].limit);

        if (got != nearests[i].want && (!got || !nearests[i].want || strcmp(got, nearests[i].want) != 0))
            fail_msg("%s: got %s, want %s", nearests[i].name, got ? got : "none",
                     nearests[i].want ? nearests[i].want : "none");
    }
    assert_null(amp_suggest("list", verbs, 0, SIZE_MAX));
}

static void test_limit(void **state)
{
    (void) state;
    assert_int_equal(amp_suggest_limit(""), 0);
    assert_int_equal(amp_suggest_limit("abc"), 1);
    assert_int_equal(amp_suggest_limit("abcd"), 2);
    assert_int_equal(amp_suggest_limit("--launches"), 4);
}

/* A command line may hold a word of any length. */
static void test_long_words(void **state)
{
    char a[4096], b[4096];

    (void) state;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    a[sizeof a - 1] = b[sizeof b - 1] = '\0';
    b[0] = 'b';
    b[AMP_SUGGEST_CHARS - 1] = 'b';
    b[AMP_SUGGEST_CHARS] = 'b';
    assert_int_equal(amp_suggest_distance(a, b), 2);
    assert_int_equal(amp_suggest_distance(a, ""), AMP_SUGGEST_CHARS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_long_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
