/* SPDX-License-Identifier: MIT
 *
 * What right command lines mean. What becomes of wrong ones is in options_test.py. */
#include "harness/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A row names what differs from the usual. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MIB ((uint64_t) 1 << 20)
#define MAX_WORDS 12

/* What `paired` does unless told otherwise, and with --quick. */
#define USUAL FIXED, .precision = 0.005, .looks = 4, .budget_s = 180
#define FIXED                                                                                                          \
    .out = "x", .launches = 16, .counts_launches = 2, .solo_launches = 6, .solo_looks = 2, .epoch_ns = 50000,         \
    .rounds_per_block = 6,                                                                                             \
    .timeout_s = 60, .memory_limit_b = 8192 * MIB, .layout = -1
#define QUICK                                                                                                          \
    .out = "x", .launches = 2, .counts_launches = 1, .solo_launches = 1, .epoch_ns = 50000, .rounds_per_block = 4,     \
    .timeout_s = 60, .memory_limit_b = 8192 * MIB, .layout = -1, .quick = true

static const struct {
    const char *name;
    const char *words[MAX_WORDS];
    struct amp_launch_options want;
    bool draw_seed;
} runs[] = {
    { "defaults", { "--out", "x" }, { USUAL }, true },
    { "with '='", { "--out=x" }, { USUAL }, true },
    { "quick", { "--out", "x", "--quick" }, { QUICK }, true },
    { "seed", { "--out", "x", "--seed", "9007199254740991" }, { USUAL, .seed = 9007199254740991 }, false },
    { "no wait", { "--out", "x", "--no-wait" }, { USUAL, .no_wait = true }, true },
    { "seed of 0", { "--out", "x", "--seed=0" }, { USUAL, .seed = 0 }, false },
    { "filter", { "--out", "x", "--filter", "^pass/" }, { USUAL, .filter = "^pass/" }, true },
    { "resume", { "--resume", "y" }, { USUAL, .out = NULL, .resume = "y" }, false },
    { "the last word counts", { "--out", "y", "--out", "x" }, { USUAL }, true },
    { "zeros where they make sense",
      { "--out", "x", "--counts-launches", "0", "--solo-launches", "0", "--layout", "0" },
      { FIXED, .counts_launches = 0, .solo_launches = 0, .solo_looks = 0, .layout = 0 },
      true },
    { "quick, but so many",
      { "--launches", "3", "--rounds", "8", "--quick", "--counts-launches=4", "--out", "x" },
      { QUICK, .launches = 3, .rounds_per_block = 8, .counts_launches = 4 },
      true },
    { "the rest",
      { "--out=x", "--epoch-us=1000000", "--timeout=86400", "--layout=63", "--solo-launches=1000", "--launches=1000",
        "--rounds=10000" },
      { FIXED, .epoch_ns = 1000000000, .timeout_s = 86400, .layout = 63, .solo_launches = 1000, .solo_looks = 0,
        .launches = 1000, .rounds_per_block = 10000 },
      true },
    { "precision",
      { "--out=x", "--precision=0.25%" },
      { USUAL, .precision = 0.0025, .looks = 4, .budget_s = 600 },
      true },
    { "precision and budget",
      { "--out=x", "--precision", "50%", "--budget", "2h" },
      { USUAL, .precision = 0.5, .looks = 4, .budget_s = 7200 },
      true },
    { "rows", { "--resume", "y", "--rows", "z" }, { USUAL, .out = NULL, .resume = "y", .rows = "z" }, false },
    { "solo rows",
      { "--resume", "y", "--solo-rows", "z" },
      { USUAL, .out = NULL, .resume = "y", .solo_rows = "z" },
      false },
    { "bytes", { "--out=x", "--memory-limit=1048577" }, { USUAL, .memory_limit_b = MIB + 1 }, true },
    { "K", { "--out=x", "--memory-limit=2048K" }, { USUAL, .memory_limit_b = 2 * MIB }, true },
    { "M", { "--out=x", "--memory-limit=512M" }, { USUAL, .memory_limit_b = 512 * MIB }, true },
    { "MB", { "--out=x", "--memory-limit=512MB" }, { USUAL, .memory_limit_b = 512 * MIB }, true },
    { "MiB", { "--out=x", "--memory-limit=512MiB" }, { USUAL, .memory_limit_b = 512 * MIB }, true },
    { "g", { "--out=x", "--memory-limit=3g" }, { USUAL, .memory_limit_b = 3072 * MIB }, true },
    { "T", { "--out=x", "--memory-limit=1024T" }, { USUAL, .memory_limit_b = 1024 * MIB * MIB }, true },
};

/* As libbenchmark 1.9 has it, but for some of its flags. */
static const char *usage(void)
{
    return "benchmark [--benchmark_list_tests={true|false}]\n"
           "          [--benchmark_filter=<regex>]\n"
           "          [--benchmark_min_time=`<integer>x` OR `<float>s` ]\n"
           "          [--benchmark_min_warmup_time=<min_warmup_time>]\n"
           "          [--benchmark_repetitions=<num_repetitions>]\n"
           "          [--benchmark_dry_run={true|false}]\n"
           "          [--benchmark_format=<console|json|csv>]\n"
           "          [--benchmark_out=<filename>]\n"
           "          [--benchmark_color={auto|true|false}]\n"
           "          [--benchmark_context=<key>=<value>,...]\n"
           "          [--benchmark_time_unit={ns|us|ms|s}]\n"
           "          [--v=<verbosity>]\n";
}

static int parse(const char *verb, const char *const *words, int *argc, char **argv, struct amp_options *out)
{
    *argc = 0;
    argv[(*argc)++] = (char *) (uintptr_t) "ampersand-bench"; /* argv is not const, and getopt_long() keeps it whole */
    if (verb)
        argv[(*argc)++] = (char *) (uintptr_t) verb;
    for (size_t i = 0; i < MAX_WORDS && words[i]; i++)
        argv[(*argc)++] = (char *) (uintptr_t) words[i];
    argv[*argc] = NULL;
    return amp_options_parse(argc, argv, usage, out);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void test_paired(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(runs); i++) {
        const struct amp_launch_options *want = &runs[i].want, *got;
        struct amp_options options;
        char *argv[MAX_WORDS + 3];
        int argc;

        if (parse("paired", runs[i].words, &argc, argv, &options) != 0 || options.verb != AMP_VERB_PAIRED)
            fail_msg("%s: refused", runs[i].name);
        got = &options.launch;
        if (!same_text(got->out, want->out) || !same_text(got->resume, want->resume) ||
            !same_text(got->filter, want->filter) || !same_text(options.filter, want->filter) ||
            !same_text(got->rows, want->rows) || !same_text(got->solo_rows, want->solo_rows))
            fail_msg("%s: another out, resume, filter or rows", runs[i].name);
        if (fabs(got->precision - want->precision) > 1e-12 || got->looks != want->looks ||
            got->solo_looks != want->solo_looks || got->budget_s != want->budget_s)
            fail_msg("%s: precision %g, %u and %u looks, %u s", runs[i].name, got->precision, got->looks,
                     got->solo_looks, got->budget_s);
        if (got->launches != want->launches || got->counts_launches != want->counts_launches ||
            got->solo_launches != want->solo_launches || got->rounds_per_block != want->rounds_per_block ||
            got->timeout_s != want->timeout_s || got->layout != want->layout || got->quick != want->quick ||
            got->no_wait != want->no_wait)
            fail_msg("%s: %u %u %u launches, %u rounds, %u s, layout %d, quick %d, no wait %d", runs[i].name,
                     got->launches, got->counts_launches, got->solo_launches, got->rounds_per_block, got->timeout_s,
                     got->layout,
                     got->quick, got->no_wait);
        if (got->epoch_ns != want->epoch_ns || got->memory_limit_b != want->memory_limit_b || got->seed != want->seed ||
            options.draw_seed != runs[i].draw_seed)
            fail_msg("%s: epoch %llu ns, %llu B, seed %llu, draw %d", runs[i].name, (unsigned long long) got->epoch_ns,
                     (unsigned long long) got->memory_limit_b, (unsigned long long) got->seed, options.draw_seed);
    }
}

#define MATRIX                                                                                                         \
    .out = "x", .baseline = "jemalloc", .launches = 13, .timeline_launches = 8, .timeline_s = 12, .timeout_s = 20,     \
    .memory_limit_b = 8192 * MIB

static const struct {
    const char *name;
    const char *words[MAX_WORDS];
    struct amp_matrix_options want;
    bool draw_seed;
} matrices[] = {
    { "defaults", { "--out", "x" }, { MATRIX }, true },
    { "quick",
      { "--out", "x", "--quick" },
      { MATRIX, .launches = 2, .timeline_launches = 1, .timeline_s = 3, .quick = true },
      true },
    { "one configuration",
      { "--out=x", "--config", "glibc" },
      { MATRIX, .configs = { "glibc" }, .n_configs = 1 },
      true },
    { "several, in their order",
      { "--out=x", "--config=b", "--workload", "churn", "--config=a", "--config=b" },
      { MATRIX, .configs = { "b", "a", "b" }, .n_configs = 3, .workload = "churn" },
      true },
    { "a word with a colon and commas",
      { "--out=x", "--config", "jemalloc:narenas:1,tcache:false" },
      { MATRIX, .configs = { "jemalloc:narenas:1,tcache:false" }, .n_configs = 1 },
      true },
    { "the rest",
      { "--out=x", "--baseline=glibc", "--launches=1000", "--timelines=0", "--timeout=1", "--memory-limit=1G",
        "--seed=3", "--no-wait" },
      { MATRIX, .baseline = "glibc", .launches = 1000, .timeline_launches = 0, .timeout_s = 1,
        .memory_limit_b = 1024 * MIB, .seed = 3, .no_wait = true },
      false },
    { "resume", { "--resume", "y" }, { MATRIX, .out = NULL, .resume = "y" }, false },
};

static void test_allocators(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(matrices); i++) {
        const struct amp_matrix_options *want = &matrices[i].want, *got;
        struct amp_options options;
        char *argv[MAX_WORDS + 3];
        int argc;

        if (parse("allocators", matrices[i].words, &argc, argv, &options) != 0 || options.verb != AMP_VERB_ALLOCATORS)
            fail_msg("%s: refused", matrices[i].name);
        got = &options.matrix;
        if (!same_text(got->out, want->out) || !same_text(got->resume, want->resume) ||
            !same_text(got->workload, want->workload) || !same_text(got->baseline, want->baseline))
            fail_msg("%s: another out, resume, workload or baseline", matrices[i].name);
        if (got->n_configs != want->n_configs)
            fail_msg("%s: %zu configurations", matrices[i].name, got->n_configs);
        for (size_t c = 0; c < want->n_configs; c++)
            if (!same_text(got->configs[c], want->configs[c]))
                fail_msg("%s: configuration %zu is %s", matrices[i].name, c, got->configs[c]);
        if (got->launches != want->launches || got->timeline_launches != want->timeline_launches ||
            got->timeline_s != want->timeline_s || got->timeout_s != want->timeout_s || got->quick != want->quick ||
            got->memory_limit_b != want->memory_limit_b || got->seed != want->seed ||
            got->no_wait != want->no_wait || options.draw_seed != matrices[i].draw_seed)
            fail_msg("%s: %u and %u launches, %u s, time-out %u s, quick %d, no wait %d", matrices[i].name,
                     got->launches, got->timeline_launches, got->timeline_s, got->timeout_s, got->quick, got->no_wait);
    }
}

static const struct {
    const char *name;
    const char *words[MAX_WORDS];
    const char *left[MAX_WORDS]; /* for libbenchmark */
    unsigned layout;
    uint64_t iterations;
} solos[] = {
    { "nothing", { NULL }, { NULL }, 0, 0 },
    { "theirs only", { "--benchmark_filter=x", "--v=1" }, { "--benchmark_filter=x", "--v=1" }, 0, 0 },
    { "ours only", { "--layout", "3", "--iterations=1000" }, { NULL }, 3, 1000 },
    { "ours among theirs",
      { "--benchmark_filter=x", "--layout=63", "--benchmark_repetitions=3", "--iterations", "7", "--unknown" },
      { "--benchmark_filter=x", "--benchmark_repetitions=3", "--unknown" },
      63,
      7 },
    { "not quite ours",
      { "--layouts=3", "--benchmark_format=json" },
      { "--layouts=3", "--benchmark_format=json" },
      0,
      0 },
    { "times", /* with the unit where this version has one */
      { "--benchmark_min_time=3", "--benchmark_min_time=1e-9s", "--benchmark_min_warmup_time=0.5s" },
      { "--benchmark_min_time=3s", "--benchmark_min_time=1e-9s", "--benchmark_min_warmup_time=0.5" },
      0,
      0 },
    { "iterations in place of a time", { "--benchmark_min_time=7x" }, { NULL }, 0, 7 },
    { "words",
      { "--benchmark_format=CSV", "--benchmark_time_unit=s" },
      { "--benchmark_format=CSV", "--benchmark_time_unit=s" },
      0,
      0 },
    { "yes and no",
      { "--benchmark_color=auto", "--benchmark_dry_run=Yes", "--benchmark_list_tests=0" },
      { "--benchmark_color=auto", "--benchmark_dry_run=Yes", "--benchmark_list_tests=0" },
      0,
      0 },
    { "whatever it says", { "--benchmark_context=a=b|c" }, { "--benchmark_context=a=b|c" }, 0, 0 },
    { "a flag that the usage does not have", { "--benchmark_new=x" }, { "--benchmark_new=x" }, 0, 0 },
};

static const char *const refused[] = {
    "--benchmark_dry_run=maybe",      "--benchmark_dry_run=auto",     "--benchmark_color=tru",
    "--benchmark_time_unit=min",      "--benchmark_time_unit=",       "--benchmark_format=console|json",
    "--benchmark_repetitions=0",      "--benchmark_repetitions=x",    "--v=10",
    "--benchmark_min_time=soon",      "--benchmark_min_time=-1",      "--benchmark_min_warmup_time=3x",
    "--benchmark_out=/dev/null/file",
};

/* The messages are in options_test.py. */
static void test_values_that_libbenchmark_must_not_see(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const char *const words[MAX_WORDS] = { refused[i] };
        struct amp_options options;
        char *argv[MAX_WORDS + 3];
        int argc;

        if (parse(NULL, words, &argc, argv, &options) != 2)
            fail_msg("%s: taken", refused[i]);
    }
}

static void test_solo(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(solos); i++) {
        struct amp_options options;
        char *argv[MAX_WORDS + 3];
        int argc, n = 1;

        if (parse(NULL, solos[i].words, &argc, argv, &options) != 0 || options.verb != AMP_VERB_SOLO)
            fail_msg("%s: refused", solos[i].name);
        for (; n < argc && same_text(argv[n], solos[i].left[n - 1]); n++)
            ;
        if (n != argc || solos[i].left[n - 1] || argv[argc])
            fail_msg("%s: left over is '%s'", solos[i].name, argv[n] ? argv[n] : "nothing");
        if (options.layout != solos[i].layout || options.iterations != solos[i].iterations)
            fail_msg("%s: layout %u, %llu iterations", solos[i].name, options.layout,
                     (unsigned long long) options.iterations);
    }
}

static void test_verbs(void **state)
{
    static const struct {
        const char *word;
        enum amp_verb want;
    } verbs[] = {
        { "list", AMP_VERB_LIST },   { "machine", AMP_VERB_MACHINE }, { "help", AMP_VERB_HELP },
        { "child", AMP_VERB_CHILD }, { "version", AMP_VERB_VERSION }, { "--version", AMP_VERB_VERSION },
    };
    const char *const task[MAX_WORDS] = { "{}" }, *const nothing[MAX_WORDS] = { NULL };

    (void) state;
    for (size_t i = 0; i < COUNT(verbs); i++) {
        bool child = verbs[i].want == AMP_VERB_CHILD;
        struct amp_options options;
        char *argv[MAX_WORDS + 3];
        int argc;

        assert_int_equal(parse(verbs[i].word, child ? task : nothing, &argc, argv, &options), 0);
        assert_int_equal(options.verb, verbs[i].want);
        assert_true(same_text(options.task, child ? "{}" : NULL));
    }
}

/* A drawn seed is one that --seed takes, and not always the same. */
static void test_draw_seed(void **state)
{
    uint64_t first = 0, second = 0;

    (void) state;
    assert_int_equal(amp_options_draw_seed(&first), 0);
    assert_int_equal(amp_options_draw_seed(&second), 0);
    assert_true(first < (uint64_t) 1 << 53);
    assert_true(second < (uint64_t) 1 << 53);
    assert_true(first != second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paired),
        cmocka_unit_test(test_allocators),
        cmocka_unit_test(test_solo),
        cmocka_unit_test(test_values_that_libbenchmark_must_not_see),
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_draw_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
