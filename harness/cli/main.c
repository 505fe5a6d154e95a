/* SPDX-License-Identifier: MIT
 *
 * ampersand-bench: verbs and exit statuses. 0 done, 1 some row failed, 2 wrong use or the environment cannot do it, 130
 * interrupted. A child has more, see child.h. */
#include "harness/allocators/matrix.h"
#include "harness/bench/alone/budgets.h"
#include "harness/bench/child.h"
#include "harness/bench/google/google.h"
#include "harness/bench/launch.h"
#include "harness/bench/alone/profiled.h"
#include "harness/cli/options.h"
#include "harness/cli/options_google.h"
#include "harness/counters/count.h"
#include "harness/lesson/compilation.h"
#include "harness/lesson/layout.h"
#include "harness/lesson/missing.h"
#include "harness/machine/machine.h"
#include "harness/run/process.h"
#include "harness/text/complain.h"
#include "harness/text/suggest.h"

#include "harness/build_info.h"

#include <regex.h>
#include <stdio.h>

static const char usage[] =
    "Times pairs of C functions against each other, by value and by pointer, and counts what they allocate.\n"
    "\n"
    "usage: ampersand-bench paired --out DIR [FLAG...]      measure every pair in fresh processes\n"
    "       ampersand-bench paired --resume RUN             do what an interrupted run has left to do\n"
    "       ampersand-bench paired --resume RUN --rows FILE launch some rows again, in a run with --precision\n"
    "       ampersand-bench paired --resume RUN --solo-rows FILE   time each side of some rows alone again\n"
    "       ampersand-bench counters RUN                    count what its sides execute, into RUN/counters.json\n"
    "       ampersand-bench allocators --out DIR [FLAG...]  run workloads under several allocators\n"
    "       ampersand-bench list [--filter REGEX] [--questions]\n"
    "       ampersand-bench check-budgets [--filter REGEX]  hold sides to what AMP_BUDGET() allows them\n"
    "       ampersand-bench machine                         print facts about machine, build and allocator, as JSON\n"
    "       ampersand-bench child TASK                      one launch of one row; 'paired' starts it\n"
    "       ampersand-bench help | --version\n"
    "       ampersand-bench [--benchmark_FLAG=...]          without a verb: an ordinary Google Benchmark program\n"
    "\n"
    "flags of 'paired'                                                                   default (quick)\n"
    "  --out DIR              the run folder to make\n"
    "  --resume RUN           the run folder to continue; only --rows or --solo-rows may stand beside it\n"
    "  --rows FILE            the rows to launch again, one a line, as 'python3 -m plots undecided RUN' prints them\n"
    "  --solo-rows FILE       the same for each side alone, as 'python3 -m plots undecided --alone RUN' prints them\n"
    "  --filter REGEX         only rows whose names match, as 'pass/size=64'; POSIX ERE  every row\n"
    "  --shard K/N            only every Nth pair, from the Kth; with --seed             every pair\n"
    "  --quick                ratios and spreads without verdicts, in a few minutes\n"
    "  --launches N           processes that time a row, 1 to 1000                       16 (2)\n"
    "  --counts-launches N    processes that count its allocations, 0 to 1000            2 (1)\n"
    "  --solo-launches N      processes that time each side alone, 0 to 1000             6 or 15 (1)\n"
    "  --precision P          launch undecided rows again, until known within P          0.5% (off)\n"
    "  --budget T             with --precision, time for these launches: 90s, 1h         3m; 10m\n"
    "  --seed N               the seed of all random choices                             drawn and printed\n"
    "  --layout K             one placement of the functions only                        all of them\n"
    "  --epoch-us N           microseconds of one timing of one side, 1 to 1000000       50\n"
    "  --rounds N             timings of each side at one layout, even, 2 to 10000       6 (4)\n"
    "  --no-wait              do not wait for a quiet core before a launch               waits\n"
    "  --timeout S            seconds that a process may take, 1 to 86400                60\n"
    "  --memory-limit SIZE    memory that a process may take, such as 512M or 8G         8G\n"
    "\n"
    "flags of 'allocators', besides --out, --resume, --quick, --seed, --timeout (20) and --memory-limit\n"
    "  --config WORD          a configuration: a name in benchmarks/allocators, a      all of these\n"
    "                         .conf file, a library, or jemalloc:narenas:1,tcache:false;\n"
    "                         repeat it for several\n"
    "  --workload REGEX       only workloads that match; POSIX ERE                       every workload\n"
    "  --baseline NAME        the configuration that all others are divided by           jemalloc\n"
    "  --launches N           processes for each configuration and workload              13 (2)\n"
    "  --no-wait              do not wait for a quiet core before a launch, nor          waits\n"
    "                         measure disturbed launches again\n"
    "  --timelines N          processes that show memory over time, 0 to 100             8 (1)\n"
    "\n"
    "flags without a verb, besides those of libbenchmark\n"
    "  --layout K             the placement of the functions to time                     0\n"
    "  --lesson NAME          load this lesson only                                      all of them\n"
    "  --iterations N         exactly this many operations                               as long as it takes\n"
    "\n"
    "A ratio is pointer/value: above 1 the value side is faster.\n";

static int help(bool with_google)
{
    fputs(usage, stdout);
    if (with_google) {
        puts("\nflags of libbenchmark");
        fputs(amp_google_usage(), stdout);
    }
    return 0;
}

/* libbenchmark answers an unknown word with its help and status 0. Words of the command line were checked before. */
static void refuse_environment(void)
{
    exit(amp_complain(2, "libbenchmark", "a value in an environment variable BENCHMARK_... is none that it knows"));
}

static bool matches(const struct amp_row *row, const regex_t *filter)
{
    char name[256];

    amp_row_name(row, name, sizeof name);
    return regexec(filter, name, 0, NULL, 0) == 0;
}

/* Nothing matches `filter`: say which pair or row was probably meant; exit status 2. */
static int refuse_filter(const struct amp_registry *registry, const char *flag, const char *filter)
{
    size_t n = 0;
    const char **names = calloc(2 * registry->n + 1, sizeof *names);
    char(*rows)[256] = calloc(registry->n + 1, sizeof *rows);
    const char *nearest = NULL;

    for (size_t i = 0; names && rows && i < registry->n; i++)
        names[n++] = registry->rows[i].pair->name; /* before rows, so that a pair wins over its first row */
    for (size_t i = 0; names && rows && i < registry->n; i++) {
        amp_row_name(&registry->rows[i], rows[i], sizeof *rows);
        names[n++] = rows[i];
    }
    if (n > 0)
        nearest = amp_suggest(filter, names, n, SIZE_MAX);
    amp_complain(2, flag, "'%s' matches nothing; the nearest is '%s'", filter, nearest ? nearest : "");
    free(names);
    free(rows);
    return 2;
}

/* Compile the filter into `out`, and check that it matches something. The caller frees it with regfree() unless the
 * status is 2. */
static int compile_filter(const struct amp_registry *registry, const char *filter, regex_t *out)
{
    int err = regcomp(out, filter, REG_EXTENDED | REG_NOSUB);
    char why[128];

    if (err) {
        regerror(err, out, why, sizeof why);
        return amp_complain(2, "--filter", "'%s' is not a regular expression: %s", filter, why);
    }
    for (size_t i = 0; i < registry->n; i++)
        if (matches(&registry->rows[i], out))
            return 0;
    regfree(out);
    return refuse_filter(registry, "--filter", filter);
}

static void print_question(const struct amp_pair *pair)
{
    printf("%-24s %s\n", pair->name, pair->question);
    for (size_t i = 0; i < pair->n_claims; i++)
        if (amp_claim_is_ours(&pair->claims[i]))
            printf("%-24s %s\n", "", pair->claims[i].text);
    if (pair->prefer)
        printf("%-24s %s\n", "", pair->prefer);
}

/* Whether a row of this pair matches. */
static bool pair_matches(const struct amp_registry *registry, const char *pair, const regex_t *filter)
{
    for (size_t i = 0; i < registry->n; i++)
        if (strcmp(registry->rows[i].pair->name, pair) == 0 && matches(&registry->rows[i], filter))
            return true;
    return false;
}

/* A template with several pairs has their rows by turns, so print each question only once. */
static bool is_first_of_pair(const struct amp_registry *registry, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (strcmp(registry->rows[before].pair->name, registry->rows[i].pair->name) == 0)
            return false;
    return true;
}

static int list(const struct amp_registry *registry, const struct amp_options *options)
{
    regex_t filter;

    if (compile_filter(registry, options->filter ? options->filter : "", &filter))
        return 2;
    for (size_t i = 0; i < registry->n; i++) {
        const struct amp_row *row = &registry->rows[i];
        char name[256];

        amp_row_name(row, name, sizeof name);
        if (options->questions && is_first_of_pair(registry, i) && pair_matches(registry, row->pair->name, &filter))
            print_question(row->pair);
        else if (!options->questions && matches(row, &filter))
            puts(name);
    }
    regfree(&filter);
    return 0;
}

/* Hold the rows to their budgets. */
static int budgets(const struct amp_registry *registry, const struct amp_options *options)
{
    int status = 0;
    size_t n = 0;
    regex_t filter;

    if (compile_filter(registry, options->filter ? options->filter : "", &filter))
        return 2;
    for (size_t i = 0; i < registry->n; i++) {
        int one;

        if (!amp_budgets_any(registry->rows[i].pair) || !matches(&registry->rows[i], &filter))
            continue;
        n++;
        one = amp_budgets_check(&registry->rows[i]);
        status = one == 3 || status == 0 ? one : status;
    }
    regfree(&filter);
    return n > 0 ? status : amp_complain(2, "check-budgets", "no row has a budget; AMP_BUDGET() gives one to a side");
}

static int paired(const struct amp_registry *registry, struct amp_options *options, char **command)
{
    regex_t filter;

    if (options->filter) {
        if (compile_filter(registry, options->filter, &filter))
            return 2;
        regfree(&filter);
    }
    if (options->draw_seed && options->launch.shard)
        return amp_complain(2, "--shard", "needs --seed N, the same for all shards: it says that they are of one run");
    if (options->draw_seed && amp_options_draw_seed(&options->launch.seed))
        return 2;
    options->launch.command = (const char *const *) command;
    return amp_launch_run(registry, &options->launch);
}

static int allocators(const struct amp_registry *registry, struct amp_options *options, char **command)
{
    if (options->draw_seed && amp_options_draw_seed(&options->matrix.seed))
        return 2;
    options->matrix.command = (const char *const *) command;
    return amp_matrix_run(registry, &options->matrix);
}

static int print_machine(void)
{
    json_t *facts = json_pack("{s:o, s:o, s:o}", "machine", amp_machine_facts(), "build", amp_machine_build(),
                              "allocator", amp_machine_allocator());
    int err = facts ? json_dumpf(facts, stdout, JSON_INDENT(2)) : -1;

    json_decref(facts);
    if (err)
        return amp_complain(2, "machine", "cannot gather or write the facts");
    putchar('\n');
    return 0;
}

static const char *text_of(const json_t *facts, const char *key)
{
    const char *text = json_string_value(json_object_get(facts, key));

    return text ? text : "unknown";
}

/* Add what a reader of a Google Benchmark file needs besides libbenchmark's own context. */
static void add_context(const struct amp_registry *registry, unsigned layout)
{
    json_t *build = amp_machine_build();
    struct amp_compilation compilation;
    char text[16];

    amp_compilation_of(registry, amp_google_filter(), &compilation);
    amp_google_context("ampersand", AMP_VERSION);
    amp_google_context("compiler", compilation.compiler);
    amp_google_context("kernel_args", compilation.flags);
    amp_google_context("jemalloc", text_of(json_object_get(build, "libraries"), "jemalloc"));
    snprintf(text, sizeof text, "%u", layout);
    amp_google_context("layout", text);
    amp_google_context("timed_loop", "the kernel's own, in C; library_build_type does not concern it");
    json_decref(build);
}

static int solo(const struct amp_registry *registry, const struct amp_options *options, int argc, char **argv)
{
    const char *complaint, *filter = "";

    amp_google_register(registry, options->layout, options->iterations);
    complaint = amp_google_parse(&argc, argv, refuse_environment);
    if (complaint)
        return amp_complain(2, "libbenchmark", "%s", complaint);
    if (argc > 1)
        return amp_google_flag_refuse(argv[1]);
    add_context(registry, options->layout);
    switch (amp_google_run(&filter)) {
    case AMP_GOOGLE_NO_MATCH:
        return refuse_filter(registry, "--benchmark_filter", filter);
    case AMP_GOOGLE_BAD_FILTER:
        return amp_complain(2, "--benchmark_filter", "'%s' is not a regular expression", filter);
    case AMP_GOOGLE_FAILED:
        return 1;
    case AMP_GOOGLE_DONE:
        break;
    }
    return 0;
}

/* Register only this lesson; the parent has found the row in it. */
static int register_one(struct amp_registry *registry, const struct amp_options *options)
{
    const char *why = "";

    return amp_layout_register(registry, options->lesson, options->layout, &why)
               ? amp_complain(2, options->lesson, "%s", why)
               : 0;
}

static int check_layout(const struct amp_registry *registry, unsigned layout)
{
    const char *why = "";
    unsigned n;

    if (amp_layout_count(registry->rows[0].lesson, &n, &why) < 0)
        return amp_complain(2, "--layout", "%s", why);
    if (layout >= n)
        return amp_complain(2, "--layout", "'%u' is not a layout; they were built with numbers 0 to %u", layout,
                            n - 1);
    return 0;
}

/* Register the pairs of all lessons, from the first module of each, or for solo from the given one. */
static int register_lessons(struct amp_registry *registry, struct amp_missing *missing,
                            const struct amp_options *options)
{
    bool is_paired = options->verb == AMP_VERB_PAIRED;
    unsigned layout = is_paired && options->launch.layout > 0 ? (unsigned) options->launch.layout : options->layout;
    const char *why = "";
    int status;

    if (options->lesson)
        return register_one(registry, options);
    if (amp_missing_register(registry, 0, is_paired, missing, &why) < 0)
        return amp_complain(2, "lessons", "%s", why);
    if (registry->n == 0) {
        amp_missing_say(missing, NULL);
        return amp_complain(2, "lessons", "'%s' has none%s", amp_layout_dir(), missing->n > 0 ? " that loads" : "");
    }
    if (is_paired && amp_missing_add_rows(missing, registry))
        return amp_complain(2, "lessons", "there is no memory");
    status = layout == 0 ? 0 : check_layout(registry, layout);
    if (status || layout == 0 || is_paired)
        return status;
    amp_registry_free(registry);
    amp_missing_free(missing);
    return amp_missing_register(registry, layout, false, missing, &why) < 0 ? amp_complain(2, "--layout", "%s", why)
                                                                             : 0;
}

static int run_verb(struct amp_registry *registry, struct amp_options *options, int argc, char **argv, char **command)
{
    switch (options->verb) {
    case AMP_VERB_PAIRED:
        return paired(registry, options, command);
    case AMP_VERB_ALLOCATORS:
        return allocators(registry, options, command);
    case AMP_VERB_LIST:
        return list(registry, options);
    case AMP_VERB_BUDGETS:
        return budgets(registry, options);
    case AMP_VERB_PROFILED:
        return options->task[0] == '/' ? amp_profiled_rows(registry, options->task)
                                       : amp_profiled_run(registry, options->task);
    default:
        return solo(registry, options, argc, argv);
    }
}

/* The verbs that need all lessons. If some are missing, the others are done, and the status is 1. */
static int run_with_lessons(struct amp_options *options, int argc, char **argv, char **command)
{
    struct amp_registry registry = { .n = 0 };
    struct amp_missing missing = { .n = 0 };
    int status;

    amp_process_follow();
    status = register_lessons(&registry, &missing, options);
    if (!status) {
        bool any = amp_missing_say(&missing, options->verb == AMP_VERB_PAIRED ? options->launch.filter
                                                                              : options->filter);

        status = run_verb(&registry, options, argc, argv, command);
        status = status == 0 && any ? 1 : status;
    }
    amp_missing_free(&missing);
    amp_registry_free(&registry);
    return status;
}

static int print_version(void)
{
    const char *benchmark = amp_machine_benchmark();

    printf("ampersand-bench %s (libbenchmark %s)\n", AMP_VERSION, benchmark ? benchmark : "unknown");
    return 0;
}

static int run(struct amp_options *options, int argc, char **argv, char **command)
{
    switch (options->verb) {
    case AMP_VERB_HELP:
        return help(options->google_help);
    case AMP_VERB_VERSION:
        return print_version();
    case AMP_VERB_MACHINE:
        return print_machine();
    case AMP_VERB_COUNTERS:
        amp_process_follow();
        return amp_count_run(options->task);
    case AMP_VERB_COUNTERS_CHILD:
        return amp_count_child(options->task);
    case AMP_VERB_CHILD:
        return amp_child_main(options->task);
    default:
        return run_with_lessons(options, argc, argv, command);
    }
}

/* Check that the output was written: a full disk, for example, is an error. */
static int finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return status ? status : amp_complain(2, "standard output", "cannot be written");
    return status;
}

int main(int argc, char **argv)
{
    struct amp_options options;
    char **command = calloc((size_t) argc + 1, sizeof *command); /* argv is taken apart */
    int status;

    if (!command)
        return amp_complain(2, "ampersand-bench", "no memory");
    memcpy(command, argv, (size_t) argc * sizeof *command);
    status = amp_process_pin()
                 ? amp_complain(2, "AMPERSAND_CPU", "it names no CPU that this process can be pinned to")
                 : amp_options_parse(&argc, argv, amp_google_usage, &options);
    if (!status)
        status = run(&options, argc, argv, command);
    free(command);
    return finish(status);
}
