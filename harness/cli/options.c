/* SPDX-License-Identifier: MIT */
#include "harness/cli/options.h"

#include "harness/bench/looks.h"
#include "harness/cli/flags.h"
#include "harness/cli/options_google.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static unsigned number_or(const struct amp_value *value, unsigned otherwise)
{
    return value->given ? (unsigned) value->number : otherwise;
}

int amp_options_draw_seed(uint64_t *seed)
{
    if (getrandom(seed, sizeof *seed, 0) != sizeof *seed)
        return amp_complain(2, "--seed", "none given, and none can be drawn: %s", strerror(errno));
    *seed &= AMP_SEED_MOST;
    return amp_complain(0, "seed", "%" PRIu64 ", drawn; '--seed %" PRIu64 "' makes the same random choices again",
                        *seed, *seed);
}

/* Checks for every verb that makes a run folder. */
static int check_folder(const struct amp_value *values, enum amp_verb verb)
{
    for (enum amp_flag f = 0; f < AMP_FLAGS; f++)
        if (values[AMP_FLAG_RESUME].given && values[f].given && f != AMP_FLAG_RESUME && f != AMP_FLAG_ROWS &&
            f != AMP_FLAG_SOLO_ROWS)
            return amp_complain(2, amp_flag_name(f), "not with --resume, which goes on with the run's own settings");
    if (!values[AMP_FLAG_OUT].given && !values[AMP_FLAG_RESUME].given)
        return amp_complain(2, amp_verb_called(verb), "needs --out DIR, or --resume RUN");
    return 0;
}

/* The user's program, with what is asked about it. */
static int read_program(const struct amp_value *values, char **words, struct amp_matrix_options *out)
{
    static const enum amp_flag wants_program[] = { AMP_FLAG_METRIC, AMP_FLAG_MORE_IS_BETTER, AMP_FLAG_LOAD,
                                                   AMP_FLAG_INPUT };

    for (size_t i = 0; i < COUNT(wants_program) && !words; i++)
        if (values[wants_program[i]].given)
            return amp_complain(2, amp_flag_name(wants_program[i]), "only with a program, behind --");
    if (!words)
        return 0;
    for (enum amp_flag f = AMP_FLAG_WORKLOAD; f <= AMP_FLAG_TRACE; f++)
        if ((f == AMP_FLAG_WORKLOAD || f == AMP_FLAG_TIMELINES || f == AMP_FLAG_TRACE) && values[f].given)
            return amp_complain(2, amp_flag_name(f), "not with a program");
    if (values[AMP_FLAG_MORE_IS_BETTER].given && !values[AMP_FLAG_METRIC].given)
        return amp_complain(2, "--more-is-better", "only with --metric: more of what?");
    out->program = (struct amp_program){
        .input = values[AMP_FLAG_INPUT].word,
        .metric = values[AMP_FLAG_METRIC].word,
        .load = values[AMP_FLAG_LOAD].word,
        .more_is_better = values[AMP_FLAG_MORE_IS_BETTER].given,
    };
    out->timeline_launches = 0;
    out->timeout_s = number_or(&values[AMP_FLAG_TIMEOUT], 300);
    /* None by default: some reserve more address space than there is memory. */
    out->memory_limit_b = values[AMP_FLAG_MEMORY_LIMIT].number;
    return amp_program_read(words, &out->program);
}

static int read_allocators(const struct amp_value *values, char **program, struct amp_matrix_options *out)
{
    bool quick = values[AMP_FLAG_QUICK].given;
    int err;

    *out = (struct amp_matrix_options){
        .out = values[AMP_FLAG_OUT].word,
        .resume = values[AMP_FLAG_RESUME].word,
        .n_configs = values[AMP_FLAG_CONFIG].n,
        .workload = values[AMP_FLAG_WORKLOAD].word,
        .baseline = values[AMP_FLAG_BASELINE].given ? values[AMP_FLAG_BASELINE].word : "jemalloc",
        .launches = number_or(&values[AMP_FLAG_LAUNCHES], quick ? 2 : 13),
        .timeline_launches = number_or(&values[AMP_FLAG_TIMELINES], quick ? 1 : 8),
        .timeline_s = quick ? 3 : 12,
        .timeout_s = number_or(&values[AMP_FLAG_TIMEOUT], 20),
        .memory_limit_b = values[AMP_FLAG_MEMORY_LIMIT].given ? values[AMP_FLAG_MEMORY_LIMIT].number : 8ull << 30,
        .seed = values[AMP_FLAG_SEED].number,
        .no_wait = values[AMP_FLAG_NO_WAIT].given,
        .quick = quick,
    };
    for (size_t i = 0; i < values[AMP_FLAG_CONFIG].n; i++)
        out->configs[i] = values[AMP_FLAG_CONFIG].list[i];
    out->n_traces = values[AMP_FLAG_TRACE].n;
    for (size_t i = 0; i < values[AMP_FLAG_TRACE].n; i++)
        out->traces[i] = values[AMP_FLAG_TRACE].list[i];
    err = check_folder(values, AMP_VERB_ALLOCATORS);
    if (!err && program && values[AMP_FLAG_RESUME].given)
        err = amp_complain(2, program[0], "not with --resume, which goes on with the run's own program");
    return err ? err : read_program(values, program, out);
}

static int read_paired(const struct amp_value *values, struct amp_launch_options *out)
{
    bool quick = values[AMP_FLAG_QUICK].given;
    /* Unless their number is given, the launches end when a row is decided. */
    bool precise = values[AMP_FLAG_PRECISION].given ||
                   !(quick || values[AMP_FLAG_LAUNCHES].given || values[AMP_FLAG_LAYOUT].given);
    int err = check_folder(values, AMP_VERB_PAIRED);

    if (err)
        return err;
    for (enum amp_flag f = AMP_FLAG_ROWS; f <= AMP_FLAG_SOLO_ROWS; f++)
        if (values[f].given && !values[AMP_FLAG_RESUME].given)
            return amp_complain(2, amp_flag_name(f), "only with --resume RUN: whose rows?");
    if (values[AMP_FLAG_ROWS].given && values[AMP_FLAG_SOLO_ROWS].given)
        return amp_complain(2, "--solo-rows", "not with --rows: one block of launches at a time");
    if (values[AMP_FLAG_BUDGET].given && !values[AMP_FLAG_PRECISION].given)
        return amp_complain(2, "--budget", "only with --precision, whose further launches it is for");
    if (values[AMP_FLAG_PRECISION].given && quick)
        return amp_complain(2, "--precision", "not with --quick, which gives no verdict and so has no use for it");
    if (values[AMP_FLAG_PRECISION].given && values[AMP_FLAG_LAYOUT].given)
        return amp_complain(2, "--precision", "not with --layout: one layout has no verdict to wait for");
    *out = (struct amp_launch_options){
        .out = values[AMP_FLAG_OUT].word, .resume = values[AMP_FLAG_RESUME].word, .rows = values[AMP_FLAG_ROWS].word,
        .solo_rows = values[AMP_FLAG_SOLO_ROWS].word, .filter = values[AMP_FLAG_FILTER].word,
        .shard = values[AMP_FLAG_SHARD].word,
        .launches = number_or(&values[AMP_FLAG_LAUNCHES], quick ? 2 : 16), /* what an interval over 300 rows needs */
        .counts_launches = number_or(&values[AMP_FLAG_COUNTS_LAUNCHES], quick ? 1 : 2),
        .solo_launches = number_or(&values[AMP_FLAG_SOLO_LAUNCHES], quick ? 1 : 6),
        .solo_looks = quick || values[AMP_FLAG_SOLO_LAUNCHES].given ? 0 : AMP_SOLO_LOOKS,
        .precision = precise ? (double) number_or(&values[AMP_FLAG_PRECISION], 5000) / 1e6 : 0,
        .looks = precise ? AMP_LOOKS : 0,
        .budget_s = precise ? number_or(&values[AMP_FLAG_BUDGET], values[AMP_FLAG_PRECISION].given ? 600 : 180) : 0,
        .seed = values[AMP_FLAG_SEED].number, .epoch_ns = (uint64_t) number_or(&values[AMP_FLAG_EPOCH_US], 50) * 1000,
        .rounds_per_block = number_or(&values[AMP_FLAG_ROUNDS], quick ? 4 : 6),
        .timeout_s = number_or(&values[AMP_FLAG_TIMEOUT], 60),
        .memory_limit_b = values[AMP_FLAG_MEMORY_LIMIT].given ? values[AMP_FLAG_MEMORY_LIMIT].number : 8ull << 30,
        .layout = values[AMP_FLAG_LAYOUT].given ? (int) values[AMP_FLAG_LAYOUT].number : -1,
        .no_wait = values[AMP_FLAG_NO_WAIT].given, .quick = quick,
    };
    return 0;
}

static int read_solo(int *argc, char **argv, const char *usage, struct amp_options *out)
{
    struct amp_value values[AMP_FLAGS] = { { .given = false } };
    int kept = 1, err;

    amp_google_flags_read(usage);
    err = amp_google_environment_take(&out->iterations);
    for (int i = 1; !err && i < *argc; i++) {
        size_t length = strcspn(argv[i], "=");
        enum amp_flag f = 0;

        while (f < AMP_FLAGS && !(amp_flag_is_of(f, AMP_VERB_SOLO) && strlen(amp_flag_name(f)) == length &&
                                  strncmp(argv[i], amp_flag_name(f), length) == 0))
            f++;
        if (strcmp(argv[i], "--help") == 0) {
            *out = (struct amp_options){ .verb = AMP_VERB_HELP, .google_help = true };
            return 0;
        }
        if (f == AMP_FLAGS) {
            err = amp_google_flag_take(argv[i], &argv[kept], &out->iterations);
            kept += argv[kept] != NULL;
        } else if (argv[i][length] == '=') {
            err = amp_flag_read(f, argv[i] + length + 1, &values[f]);
        } else if (i + 1 < *argc) {
            i++;
            err = amp_flag_read(f, argv[i], &values[f]);
        } else {
            err = amp_complain(2, amp_flag_name(f), "needs a value");
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    out->layout = (unsigned) values[AMP_FLAG_LAYOUT].number;
    if (values[AMP_FLAG_ITERATIONS].given)
        out->iterations = values[AMP_FLAG_ITERATIONS].number;
    out->lesson = values[AMP_FLAG_LESSON].word;
    return err;
}

static bool takes_a_word(enum amp_verb verb)
{
    return verb == AMP_VERB_CHILD || verb == AMP_VERB_COUNTERS || verb == AMP_VERB_COUNTERS_CHILD ||
           verb == AMP_VERB_PROFILED;
}

static int refuse_words(enum amp_verb verb)
{
    return amp_complain(2, amp_verb_called(verb), "needs one word, %s",
                        verb == AMP_VERB_COUNTERS   ? "the folder of a run"
                        : verb == AMP_VERB_CHILD    ? "its task as JSON"
                        : verb == AMP_VERB_PROFILED ? "a side and a row, or a file of rows"
                                                    : "the file of its rows");
}

int amp_options_parse(int *argc, char **argv, const char *(*usage)(void), struct amp_options *out)
{
    struct amp_value values[AMP_FLAGS] = { { .given = false } };
    const char *first = *argc > 1 ? argv[1] : "";
    char **rest = NULL;
    int err;

    *out = (struct amp_options){ .verb = AMP_VERB_SOLO };
    if (strcmp(first, "--version") == 0)
        first = "version";
    if (!*first || *first == '-')
        return read_solo(argc, argv, usage(), out);
    err = amp_verb_read(first, &out->verb);
    if (!err && takes_a_word(out->verb)) {
        out->task = argv[2];
        return *argc == 3 ? 0 : refuse_words(out->verb);
    }
    if (!err)
        err = amp_flags_read(out->verb, *argc - 1, argv + 1, values, &rest);
    out->filter = values[AMP_FLAG_FILTER].word;
    out->questions = values[AMP_FLAG_QUESTIONS].given;
    out->draw_seed = !values[AMP_FLAG_SEED].given && !values[AMP_FLAG_RESUME].given;
    if (!err && out->verb == AMP_VERB_PAIRED)
        err = read_paired(values, &out->launch);
    else if (!err && out->verb == AMP_VERB_ALLOCATORS)
        err = read_allocators(values, rest, &out->matrix);
    return err;
}
