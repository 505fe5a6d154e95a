/* SPDX-License-Identifier: MIT
 *
 * The registry and the gate that refuses sides which disagree. */
#include "harness/lesson/pair.h"
#include "harness/subjects.h"

/* clang-format off: cmocka.h wants the two before it */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <sys/wait.h>

static int fixtures_alive;

static void *make_counter(size_t size)
{
    uint64_t *counter = malloc(sizeof *counter);

    *counter = size;
    fixtures_alive++;
    return counter;
}

static void free_counter(void *counter)
{
    fixtures_alive--;
    free(counter);
}

/* Sums up a counter that goes on from call to call, as a cursor in a collection does. */
static uint64_t run_count(void *fixture, uint64_t ops)
{
    uint64_t *counter = fixture, sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += (*counter)++;
    return sum;
}

static uint64_t run_wrong_at_once(void *fixture, uint64_t ops)
{
    return run_count(fixture, ops) + 1;
}

static uint64_t run_wrong_at_1000(void *fixture, uint64_t ops)
{
    return run_count(fixture, ops) + (ops == 1000);
}

static uint64_t run_wrong_in_third(void *fixture, uint64_t ops)
{
    return run_count(fixture, ops) + (ops == 3);
}

static uint64_t fake_ns;

static uint64_t fake_clock(void)
{
    return fake_ns;
}

static uint64_t run_slow(void *fixture, uint64_t ops)
{
    fake_ns += ops == 1 ? 125000000 : 0;
    return run_count(fixture, ops) + (ops == 1000);
}

static uint64_t run_2_ms(void *fixture, uint64_t ops) /* each */
{
    fake_ns += ops * 2000000;
    return run_count(fixture, ops);
}

#define SIDE(f)                                                                                                        \
    {                                                                                                                  \
        .run = f, .set_up = make_counter, .tear_down = free_counter                                                    \
    }

static void test_gate_cuts_its_last_run(void **state)
{
    struct amp_pair pair = { .name = "p", .question = "?", .value = SIDE(run_count), .pointer = SIDE(run_2_ms) };
    struct amp_agreement got = { 0 };

    (void) state;
    assert_int_equal(amp_pair_agree(&pair, 5, fake_clock, &got), 0);
    assert_int_equal(got.ops, 24); /* of 1000, what fits into 50 ms; the clock reads a nanosecond more */
}

static void test_gate(void **state)
{
    static const struct {
        const char *name;
        struct amp_side pointer;
        int want_err;
        uint64_t want_ops, want_difference;
    } rows[] = {
        { "agree", SIDE(run_count), 0, 1000, 0 },
        { "differ at once", SIDE(run_wrong_at_once), -EDOM, 1, 1 },
        { "differ after 3", SIDE(run_wrong_in_third), -EDOM, 3, 1 },
        { "differ after 1000", SIDE(run_wrong_at_1000), -EDOM, 1000, 1 },
        { "slow pairs are spared the longer runs", SIDE(run_slow), 0, 1, 0 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_pair pair = { .name = "p", .question = "?", .value = SIDE(run_count), .pointer = rows[i].pointer };
        struct amp_agreement got = { 0 };

        print_message("  %s\n", rows[i].name);
        assert_int_equal(amp_pair_agree(&pair, 5, fake_clock, &got), rows[i].want_err);
        assert_int_equal(got.ops, rows[i].want_ops);
        assert_int_equal(got.pointer - got.value, rows[i].want_difference);
        assert_int_equal(fixtures_alive, 0);
    }
}

static void *made[2];
static size_t n_made;

static void *make_and_note(size_t size)
{
    made[n_made & 1] = malloc(size);
    return made[n_made++ & 1];
}

/* Either side comes first, and neither always gets the same place within the cache line. */
static void test_fixtures_are_placed_at_random(void **state)
{
    struct amp_side side = { .run = run_count, .set_up = make_and_note, .tear_down = free };
    struct amp_pair pair = { .name = "p", .question = "?", .value = side, .pointer = side };
    unsigned value_first = 0, places[2] = { 0, 0 };
    void *fixtures[16][2]; /* all kept until the end, or the allocator would hand out the same two again */

    (void) state;
    for (uint64_t draw = 0; draw < 16; draw++) {
        amp_pair_set_up(&pair, 48, draw, fixtures[draw]);
        assert_ptr_not_equal(fixtures[draw][0], fixtures[draw][1]);
        assert_true(fixtures[draw][0] == made[0] || fixtures[draw][0] == made[1]);
        value_first += fixtures[draw][0] == made[0];
        for (int i = 0; i < 2; i++)
            places[i] |= 1u << (uintptr_t) fixtures[draw][i] % 64 / 16;
    }
    assert_int_equal(value_first, 8);
#if !defined(__SANITIZE_ADDRESS__) /* whose malloc puts everything at the same place of a line */
    for (int i = 0; i < 2; i++)
        assert_true(__builtin_popcount(places[i]) >= 3);
#endif
    for (uint64_t draw = 0; draw < 16; draw++) {
        amp_side_tear_down(&pair.pointer, fixtures[draw][1]);
        amp_side_tear_down(&pair.value, fixtures[draw][0]);
    }
}

/* What amp_object() promises the compiler must hold, also where malloc() aligns by less. */
static void test_objects_are_aligned(void **state)
{
    static const size_t sizes[] = { 1, 8, 17, 24, 40, 257, 4112, 65536 };
    void *objects[8];

    (void) state;
    for (size_t i = 0; i < 8 * 16; i++) {
        const size_t words = sizes[i / 16] / sizeof(uint64_t);
        const unsigned char *object = objects[i % 8] = amp_object_set_up(sizes[i / 16]);

        assert_int_equal((uintptr_t) object % AMP_OBJECT_ALIGNMENT, 0);
        if (words > 0)
            assert_int_equal(((const uint64_t *) (const void *) object)[words - 1], words);
        if (sizes[i / 16] % sizeof(uint64_t) > 0)
            assert_int_equal(object[sizes[i / 16] - 1], 1); /* what is no whole word */
        if (i % 8 == 7)
            for (size_t j = 0; j < 8; j++)
                amp_object_tear_down(objects[j]);
    }
}

#define PAIR(pair, asked, value_run, pointer_run, ...)                                                                 \
    {                                                                                                                  \
        .name = pair, .question = asked, .value = { .run = value_run }, .pointer = { .run = pointer_run },             \
        .sizes = AMP_SIZES(__VA_ARGS__)                                                                                \
    }

static uint64_t run_op(void *fixture, uint64_t ops)
{
    (void) fixture;
    return ops;
}

static const struct {
    const char *name;
    struct amp_pair pair;
    int want_err;
} bad_pairs[] = {
    { "complete", PAIR("a", "q?", run_op, run_op, 1), 0 },
    { "no name", PAIR(NULL, "q?", run_op, run_op, 1), -EINVAL },
    { "no question", PAIR("a", NULL, run_op, run_op, 1), -EINVAL },
    { "no value side", PAIR("a", "q?", NULL, run_op, 1), -EINVAL },
    { "no pointer side", PAIR("a", "q?", run_op, NULL, 1), -EINVAL },
    { "no sizes",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op }, .sizes = NULL },
      -EINVAL },
    { "empty sizes", PAIR("a", "q?", run_op, run_op, 0), -EINVAL },
    { "a size twice", PAIR("a", "q?", run_op, run_op, 8, 8), -EEXIST },
    { "a claim",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8), AMP_CLAIMS({ AMP_VALUE, .from = 8, .to = 8, .text = "So it is." }) },
      0 },
    { "a claim without an end",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8), AMP_CLAIMS({ AMP_NEITHER, .from = 8, .text = "So it is." }) },
      0 },
    { "a claim for nobody",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8), AMP_CLAIMS({ "both", .text = "So it is." }) },
      -EINVAL },
    { "a claim without words",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8), AMP_CLAIMS({ AMP_POINTER, .to = 8 }) },
      -EINVAL },
    { "a claim of one ABI",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8), AMP_CLAIMS({ AMP_POINTER, .text = "So it is.", .abi = AMP_AAPCS64 }) },
      0 },
    { "of an ABI that nobody knows",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8), AMP_CLAIMS({ AMP_POINTER, .text = "So it is.", .abi = "x86_64" }) },
      -EINVAL },
    { "a claim that ends before it begins",
      { .name = "a", .question = "q?", .value = { .run = run_op }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8), AMP_CLAIMS({ AMP_POINTER, .from = 9, .to = 8, .text = "So it is." }) },
      -EINVAL },
    { "a name of 16 characters for a side",
      { .name = "a", .question = "q?", .value = { .run = run_op, .label = "sixteen letters." },
        .pointer = { .run = run_op }, .sizes = AMP_SIZES(8) },
      0 },
    { "one of 17",
      { .name = "a", .question = "q?", .value = { .run = run_op, .label = "seventeen letters" },
        .pointer = { .run = run_op }, .sizes = AMP_SIZES(8) },
      -EINVAL },
    { "an empty one",
      { .name = "a", .question = "q?", .value = { .run = run_op, .label = "" }, .pointer = { .run = run_op },
        .sizes = AMP_SIZES(8) },
      -EINVAL },
    { "set up, never torn down",
      { .name = "a",
        .question = "q?",
        .value = { .run = run_op, .set_up = make_counter },
        .pointer = { .run = run_op },
        .sizes = AMP_SIZES(1) },
      -EINVAL },
};

static void test_registry_refuses(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof bad_pairs / sizeof bad_pairs[0]; i++) {
        struct amp_registry registry = { 0 };
        const struct amp_pair *pair = &bad_pairs[i].pair;

        print_message("  %s\n", bad_pairs[i].name);
        assert_int_equal(amp_registry_add(&registry, "lesson", &pair, 1), bad_pairs[i].want_err);
        amp_registry_free(&registry);
    }
}

static void test_registry_finds(void **state)
{
    struct amp_pair first = PAIR("pass", "q?", run_op, run_op, 8, 64);
    struct amp_pair second = PAIR("pass", "q?", run_op, run_op, 256);
    struct amp_pair other = PAIR("factory", "q?", run_op, run_op, 64);
    const struct amp_pair *pass[] = { &first, &second }, *factory[] = { &other };
    struct amp_registry registry = { 0 };
    char name[32], cut[8];

    (void) state;
    assert_int_equal(amp_registry_add(&registry, "pass", pass, 2), 0);
    assert_int_equal(amp_registry_add(&registry, "factory", factory, 1), 0);
    assert_int_equal(amp_registry_add(&registry, "again", factory, 1), -EEXIST);
    assert_int_equal(registry.n, 4);
    for (size_t i = 0; i < registry.n; i++) { /* every row is found by its own name, in the order of registration */
        amp_row_name(&registry.rows[i], name, sizeof name);
        assert_ptr_equal(amp_registry_find(&registry, name), &registry.rows[i]);
    }
    assert_ptr_equal(registry.rows[2].pair, &second);
    assert_int_equal(registry.rows[2].index, 2); /* counted over the lesson's pairs and sizes */
    assert_int_equal(registry.rows[3].index, 0);
    assert_string_equal(registry.rows[3].lesson, "factory");
    assert_null(amp_registry_find(&registry, "pass"));
    assert_null(amp_registry_find(&registry, "pass/size=9"));
    amp_row_name(&registry.rows[0], cut, sizeof cut);
    assert_string_equal(cut, "pass/si");
    amp_registry_free(&registry);
    assert_int_equal(registry.n, 0);
}

/* A template declares its pairs once for each type: rows of one pair stand together, and know their place in the
 * file. */
static void test_registry_groups_pairs(void **state)
{
    struct amp_pair a8 = PAIR("a", "q?", run_op, run_op, 8), b8 = PAIR("b", "q?", run_op, run_op, 8);
    struct amp_pair a64 = PAIR("a", "q?", run_op, run_op, 64), b64 = PAIR("b", "q?", run_op, run_op, 64);
    const struct amp_pair *pairs[] = { &a8, &b8, &a64, &b64 };
    static const struct {
        const char *name;
        size_t index;
    } rows[] = { { "a/size=8", 0 }, { "a/size=64", 2 }, { "b/size=8", 1 }, { "b/size=64", 3 } };
    struct amp_registry registry = { 0 };

    (void) state;
    assert_int_equal(amp_registry_add(&registry, "lesson", pairs, 4), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[32];

        amp_row_name(&registry.rows[i], name, sizeof name);
        assert_string_equal(name, rows[i].name);
        assert_int_equal(registry.rows[i].index, rows[i].index);
    }
    amp_registry_free(&registry);
}

/* malloc() for kernels never gives NULL: it ends the child with a status of its own. */
static void test_alloc_ends_the_child(void **state)
{
    int status;
    pid_t child = fork();

    (void) state;
    if (child == 0) {
        amp_keep(amp_alloc((size_t) PTRDIFF_MAX / 2));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), AMP_EXIT_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gate), cmocka_unit_test(test_gate_cuts_its_last_run),
        cmocka_unit_test(test_fixtures_are_placed_at_random),
        cmocka_unit_test(test_objects_are_aligned),
        cmocka_unit_test(test_registry_refuses),
        cmocka_unit_test(test_registry_finds),
        cmocka_unit_test(test_registry_groups_pairs),
        cmocka_unit_test(test_alloc_ends_the_child),
    };

    return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
