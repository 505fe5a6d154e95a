/* SPDX-License-Identifier: MIT */
#include "harness/cli/options.h"

#include "harness/bench/looks.h"
#include "harness/cli/options_google.h"
#include "harness/text/complain.h"
#include "harness/text/quantity.h"
#include "harness/text/suggest.h"
#include "harness/text/utf8.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const verbs[] = {
    [AMP_VERB_PAIRED] = "paired",   [AMP_VERB_ALLOCATORS] = "allocators", [AMP_VERB_LIST] = "list",
    [AMP_VERB_CHILD] = "child",     [AMP_VERB_BUDGETS] = "check-budgets",
    [AMP_VERB_PROFILED] = "profile-child",
    [AMP_VERB_COUNTERS] = "counters", [AMP_VERB_COUNTERS_CHILD] = "counters-child",
    [AMP_VERB_MACHINE] = "machine", [AMP_VERB_HELP] = "help",             [AMP_VERB_VERSION] = "version",
};

enum flag {
    OUT,
    RESUME,
    ROWS,
    SOLO_ROWS,
    FILTER,
    SHARD,
    QUICK,
    LAUNCHES,
    COUNTS_LAUNCHES,
    SOLO_LAUNCHES,
    PRECISION,
    BUDGET,
    SEED,
    LAYOUT,
    LESSON,
    EPOCH_US,
    ROUNDS,
    NO_WAIT,
    TIMEOUT,
    MEMORY_LIMIT,
    QUESTIONS,
    ITERATIONS,
    CONFIG,
    WORKLOAD,
    BASELINE,
    TIMELINES,
    METRIC,
    MORE_IS_BETTER,
    LOAD,
    INPUT,
    TRACE,
    N_FLAGS
};

#define BOTH (1 << AMP_VERB_PAIRED | 1 << AMP_VERB_ALLOCATORS)

/* In the order of enum flag. The range of a number ends where it stops making sense: for seeds, where JSON readers with
 * doubles begin to round; for rounds, where a block takes longer than the default time-out. */
static const struct {
    const char *name;
    enum { WORD, LIST, NUMBER, EVEN, SIZE, PERCENT, DURATION, SWITCH } kind; /* LIST: a word, again and again */
    uint64_t low, high;
    unsigned verbs; /* a bit for each that takes it */
} flags[N_FLAGS] = {
    [OUT] = { "--out", WORD, 0, 0, BOTH },
    [RESUME] = { "--resume", WORD, 0, 0, BOTH },
    [ROWS] = { "--rows", WORD, 0, 0, 1 << AMP_VERB_PAIRED },
    [SOLO_ROWS] = { "--solo-rows", WORD, 0, 0, 1 << AMP_VERB_PAIRED },
    [FILTER] = { "--filter", WORD, 0, 0, 1 << AMP_VERB_PAIRED | 1 << AMP_VERB_LIST | 1 << AMP_VERB_BUDGETS },
    [SHARD] = { "--shard", WORD, 0, 0, 1 << AMP_VERB_PAIRED },
    [QUICK] = { "--quick", SWITCH, 0, 0, BOTH },
    [LAUNCHES] = { "--launches", NUMBER, 1, 1000, BOTH },
    [COUNTS_LAUNCHES] = { "--counts-launches", NUMBER, 0, 1000, 1 << AMP_VERB_PAIRED },
    [SOLO_LAUNCHES] = { "--solo-launches", NUMBER, 0, 1000, 1 << AMP_VERB_PAIRED },
    [PRECISION] = { "--precision", PERCENT, 100, 500000, 1 << AMP_VERB_PAIRED }, /* in millionths */
    [BUDGET] = { "--budget", DURATION, 1, 604800, 1 << AMP_VERB_PAIRED },        /* in seconds */
    [SEED] = { "--seed", NUMBER, 0, ((uint64_t) 1 << 53) - 1, BOTH },
    [LAYOUT] = { "--layout", NUMBER, 0, 9999, 1 << AMP_VERB_PAIRED | 1 << AMP_VERB_SOLO },
    [LESSON] = { "--lesson", WORD, 0, 0, 1 << AMP_VERB_SOLO },
    [EPOCH_US] = { "--epoch-us", NUMBER, 1, 1000000, 1 << AMP_VERB_PAIRED },
    [ROUNDS] = { "--rounds", EVEN, 2, 10000, 1 << AMP_VERB_PAIRED },
    [NO_WAIT] = { "--no-wait", SWITCH, 0, 0, BOTH },
    [TIMEOUT] = { "--timeout", NUMBER, 1, 86400, BOTH },
    [MEMORY_LIMIT] = { "--memory-limit", SIZE, 1ull << 20, 1ull << 50, BOTH },
    [QUESTIONS] = { "--questions", SWITCH, 0, 0, 1 << AMP_VERB_LIST },
    [ITERATIONS] = { "--iterations", NUMBER, 1, 1000000000000, 1 << AMP_VERB_SOLO },
    [CONFIG] = { "--config", LIST, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [WORKLOAD] = { "--workload", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [BASELINE] = { "--baseline", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [TIMELINES] = { "--timelines", NUMBER, 0, 100, 1 << AMP_VERB_ALLOCATORS },
    [METRIC] = { "--metric", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [MORE_IS_BETTER] = { "--more-is-better", SWITCH, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [LOAD] = { "--load", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [TRACE] = { "--trace", LIST, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [INPUT] = { "--input", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
};

struct value {
    bool given;
    const char *word;
    uint64_t number;
    const char *list[AMP_CONFIGS];
    size_t n;
};

static bool is_word(enum flag flag)
{
    return flags[flag].kind == WORD || flags[flag].kind == LIST;
}

/* Read a number of the flag's kind. */
static bool read_number(enum flag flag, const char *text, uint64_t *out)
{
    static bool (*const readers[])(const char **, uint64_t *) = {
        [NUMBER] = amp_quantity_read_digits,   [EVEN] = amp_quantity_read_digits,       [SIZE] = amp_quantity_read_size,
        [PERCENT] = amp_quantity_read_percent, [DURATION] = amp_quantity_read_duration,
    };

    return readers[flags[flag].kind](&text, out) && !*text && *out >= flags[flag].low && *out <= flags[flag].high &&
           (flags[flag].kind != EVEN || *out % 2 == 0);
}

static int refuse_number(enum flag flag, const char *text)
{
    const char *name = flags[flag].name;

    switch (flags[flag].kind) {
    case SIZE:
        return amp_complain(2, name, "'%s' is not a size such as 512M or 8G, from 1M to 1024T", text);
    case PERCENT:
        return amp_complain(2, name, "'%s' is not a percentage such as 0.5%% or 1%%, from 0.01%% to 50%%", text);
    case DURATION:
        return amp_complain(2, name, "'%s' is not a time such as 90s, 10m or 1h, from 1s to 168h", text);
    default:
        return amp_complain(2, name, "'%s' is not %s number from %" PRIu64 " to %" PRIu64, text,
                            flags[flag].kind == EVEN ? "an even" : "a whole", flags[flag].low, flags[flag].high);
    }
}

static int read_value(enum flag flag, const char *text, struct value *out)
{
    uint64_t n = 0;

    if (is_word(flag) && !*text)
        return amp_complain(2, flags[flag].name, "its value is empty");
    if (is_word(flag) && !amp_text_is_utf8(text))
        return amp_complain(2, flags[flag].name, "'%s' is not in UTF-8, which files of a run are written in", text);
    if (!is_word(flag) && flags[flag].kind != SWITCH && !read_number(flag, text, &n))
        return refuse_number(flag, text);
    if (flags[flag].kind == LIST && out->n == AMP_CONFIGS)
        return amp_complain(2, flags[flag].name, "more than %d of them", AMP_CONFIGS);
    out->given = true;
    out->word = text;
    out->number = n;
    if (flags[flag].kind == LIST)
        out->list[out->n++] = text;
    return 0;
}

/* The verb's name for the user: the door calls one verb differently. */
static const char *called(enum amp_verb verb)
{
    return verb == AMP_VERB_PAIRED && getenv("AMPERSAND_COMMAND") ? "bench" : verbs[verb];
}

/* The command that prints the verb's help. */
static const char *help_on(enum amp_verb verb)
{
    static char text[256];
    const char *door = getenv("AMPERSAND_COMMAND");

    snprintf(text, sizeof text, "%s help%s%s", door ? door : "ampersand-bench", door ? " " : "",
             door ? called(verb) : "");
    return text;
}

/* Refuse a word that is not a flag of the verb. */
static int refuse(const char *word, enum amp_verb verb)
{
    const char *names[N_FLAGS], *nearest;
    char flag[AMP_SUGGEST_CHARS + 1];
    size_t n = 0;

    snprintf(flag, sizeof flag, "%.*s", (int) strcspn(word, "="), word);
    for (size_t f = 0; f < N_FLAGS; f++)
        if (flags[f].verbs & 1u << verb)
            names[n++] = flags[f].name;
    nearest = amp_suggest(flag, names, n, amp_suggest_limit(flag));
    if (word[0] != '-' || (nearest && strcmp(nearest, flag) == 0)) /* the flag itself: it stands behind "--" */
        return amp_complain(2, word, "'%s' takes no such word; '%s' says what it takes", called(verb), help_on(verb));
    if (nearest)
        return amp_complain(2, flag, "'%s' has no such flag; the nearest is '%s', and '%s' lists them", called(verb),
                            nearest, help_on(verb));
    return amp_complain(2, flag, "'%s' has no such flag; '%s' lists them", called(verb), help_on(verb));
}

/* argv[0] is the verb. *rest: what stands behind "--", where the verb takes a program; NULL: nothing. */
static int read_flags(enum amp_verb verb, int argc, char **argv, struct value *values, char ***rest)
{
    struct option options[N_FLAGS + 1] = { { .name = NULL } };
    int n = 0, c, err = 0, at = 1;

    for (int f = 0; f < N_FLAGS; f++)
        if (flags[f].verbs & 1u << verb)
            options[n++] = (struct option){ flags[f].name + 2, flags[f].kind != SWITCH, NULL, 256 + f };
    opterr = 0; /* its messages have another form */
    for (optind = at; !err && (c = getopt_long(argc, argv, "+:", options, NULL)) != -1; at = optind) {
        if (c >= 256 && strcspn(argv[at], "=") != strlen(flags[c - 256].name))
            err = refuse(argv[at], verb); /* getopt_long takes abbreviations; the door, which reads flags, does not */
        else if (c >= 256)
            err = read_value((enum flag)(c - 256), optarg ? optarg : "", &values[c - 256]);
        else if (c == ':')
            err = amp_complain(2, flags[optopt - 256].name, "needs a value");
        else if (optopt >= 256)
            err = amp_complain(2, flags[optopt - 256].name, "takes no value");
        else
            err = refuse(argv[at], verb);
    }
    if (!err && verb == AMP_VERB_ALLOCATORS && strcmp(argv[optind - 1], "--") == 0) {
        *rest = argv + optind;
        return optind < argc ? 0 : amp_complain(2, "--", "names no program");
    }
    return err || optind >= argc ? err : refuse(argv[optind], verb);
}

static unsigned number_or(const struct value *value, unsigned otherwise)
{
    return value->given ? (unsigned) value->number : otherwise;
}

int amp_options_draw_seed(uint64_t *seed)
{
    if (getrandom(seed, sizeof *seed, 0) != sizeof *seed)
        return amp_complain(2, "--seed", "none given, and none can be drawn: %s", strerror(errno));
    *seed &= flags[SEED].high;
    return amp_complain(0, "seed", "%" PRIu64 ", drawn; '--seed %" PRIu64 "' makes the same random choices again",
                        *seed, *seed);
}

/* Checks for every verb that makes a run folder. */
static int check_folder(const struct value *values, enum amp_verb verb)
{
    for (size_t f = 0; f < N_FLAGS; f++)
        if (values[RESUME].given && f != RESUME && f != ROWS && f != SOLO_ROWS && values[f].given)
            return amp_complain(2, flags[f].name, "not with --resume, which goes on with the run's own settings");
    if (!values[OUT].given && !values[RESUME].given)
        return amp_complain(2, called(verb), "needs --out DIR, or --resume RUN");
    return 0;
}

/* The user's program, with what is asked about it. */
static int read_program(const struct value *values, char **words, struct amp_matrix_options *out)
{
    static const enum flag wants_program[] = { METRIC, MORE_IS_BETTER, LOAD, INPUT };

    for (size_t i = 0; i < COUNT(wants_program) && !words; i++)
        if (values[wants_program[i]].given)
            return amp_complain(2, flags[wants_program[i]].name, "only with a program, behind --");
    if (!words)
        return 0;
    for (enum flag f = WORKLOAD; f <= TRACE; f++)
        if ((f == WORKLOAD || f == TIMELINES || f == TRACE) && values[f].given)
            return amp_complain(2, flags[f].name, "not with a program");
    if (values[MORE_IS_BETTER].given && !values[METRIC].given)
        return amp_complain(2, "--more-is-better", "only with --metric: more of what?");
    out->program = (struct amp_program){ .input = values[INPUT].word, .metric = values[METRIC].word,
                                         .load = values[LOAD].word, .more_is_better = values[MORE_IS_BETTER].given };
    out->timeline_launches = 0;
    out->timeout_s = number_or(&values[TIMEOUT], 300);
    out->memory_limit_b = values[MEMORY_LIMIT].number; /* some reserve more address space than there is memory */
    return amp_program_read(words, &out->program);
}

static int read_allocators(const struct value *values, char **program, struct amp_matrix_options *out)
{
    bool quick = values[QUICK].given;
    int err;

    *out = (struct amp_matrix_options){
        .out = values[OUT].word,
        .resume = values[RESUME].word,
        .n_configs = values[CONFIG].n,
        .workload = values[WORKLOAD].word,
        .baseline = values[BASELINE].given ? values[BASELINE].word : "jemalloc",
        .launches = number_or(&values[LAUNCHES], quick ? 2 : 13),
        .timeline_launches = number_or(&values[TIMELINES], quick ? 1 : 8),
        .timeline_s = quick ? 3 : 12,
        .timeout_s = number_or(&values[TIMEOUT], 20),
        .memory_limit_b = values[MEMORY_LIMIT].given ? values[MEMORY_LIMIT].number : 8ull << 30,
        .seed = values[SEED].number,
        .no_wait = values[NO_WAIT].given,
        .quick = quick,
    };
    for (size_t i = 0; i < values[CONFIG].n; i++)
        out->configs[i] = values[CONFIG].list[i];
    out->n_traces = values[TRACE].n;
    for (size_t i = 0; i < values[TRACE].n; i++)
        out->traces[i] = values[TRACE].list[i];
    err = check_folder(values, AMP_VERB_ALLOCATORS);
    if (!err && program && values[RESUME].given)
        err = amp_complain(2, program[0], "not with --resume, which goes on with the run's own program");
    return err ? err : read_program(values, program, out);
}

static int read_paired(const struct value *values, struct amp_launch_options *out)
{
    bool quick = values[QUICK].given;
    /* Unless their number is given, the launches end when a row is decided. */
    bool precise = values[PRECISION].given || !(quick || values[LAUNCHES].given || values[LAYOUT].given);
    int err = check_folder(values, AMP_VERB_PAIRED);

    if (err)
        return err;
    for (enum flag f = ROWS; f <= SOLO_ROWS; f++)
        if (values[f].given && !values[RESUME].given)
            return amp_complain(2, flags[f].name, "only with --resume RUN: whose rows?");
    if (values[ROWS].given && values[SOLO_ROWS].given)
        return amp_complain(2, "--solo-rows", "not with --rows: one block of launches at a time");
    if (values[BUDGET].given && !values[PRECISION].given)
        return amp_complain(2, "--budget", "only with --precision, whose further launches it is for");
    if (values[PRECISION].given && quick)
        return amp_complain(2, "--precision", "not with --quick, which gives no verdict and so has no use for it");
    if (values[PRECISION].given && values[LAYOUT].given)
        return amp_complain(2, "--precision", "not with --layout: one layout has no verdict to wait for");
    *out = (struct amp_launch_options){
        .out = values[OUT].word, .resume = values[RESUME].word, .rows = values[ROWS].word,
        .solo_rows = values[SOLO_ROWS].word, .filter = values[FILTER].word, .shard = values[SHARD].word,
        .launches = number_or(&values[LAUNCHES], quick ? 2 : 16), /* what an interval over 300 rows needs */
        .counts_launches = number_or(&values[COUNTS_LAUNCHES], quick ? 1 : 2),
        .solo_launches = number_or(&values[SOLO_LAUNCHES], quick ? 1 : 6),
        .solo_looks = quick || values[SOLO_LAUNCHES].given ? 0 : AMP_SOLO_LOOKS,
        .precision = precise ? (double) number_or(&values[PRECISION], 5000) / 1e6 : 0,
        .looks = precise ? AMP_LOOKS : 0,
        .budget_s = precise ? number_or(&values[BUDGET], values[PRECISION].given ? 600 : 180) : 0,
        .seed = values[SEED].number, .epoch_ns = (uint64_t) number_or(&values[EPOCH_US], 50) * 1000,
        .rounds_per_block = number_or(&values[ROUNDS], quick ? 4 : 6),
        .timeout_s = number_or(&values[TIMEOUT], 60),
        .memory_limit_b = values[MEMORY_LIMIT].given ? values[MEMORY_LIMIT].number : 8ull << 30,
        .layout = values[LAYOUT].given ? (int) values[LAYOUT].number : -1,
        .no_wait = values[NO_WAIT].given, .quick = quick,
    };
    return 0;
}

static int read_solo(int *argc, char **argv, const char *usage, struct amp_options *out)
{
    struct value values[N_FLAGS] = { { .given = false } };
    int kept = 1, err;

    amp_google_flags_read(usage);
    err = amp_google_environment_take(&out->iterations);
    for (int i = 1; !err && i < *argc; i++) {
        size_t length = strcspn(argv[i], "="), f = N_FLAGS;

        for (size_t k = 0; k < N_FLAGS; k++)
            if (flags[k].verbs & 1u << AMP_VERB_SOLO && strlen(flags[k].name) == length &&
                strncmp(argv[i], flags[k].name, length) == 0)
                f = k;
        if (strcmp(argv[i], "--help") == 0) {
            *out = (struct amp_options){ .verb = AMP_VERB_HELP, .google_help = true };
            return 0;
        }
        if (f == N_FLAGS) {
            err = amp_google_flag_take(argv[i], &argv[kept], &out->iterations);
            kept += argv[kept] != NULL;
        } else if (argv[i][length] == '=') {
            err = read_value((enum flag) f, argv[i] + length + 1, &values[f]);
        } else if (i + 1 < *argc) {
            i++;
            err = read_value((enum flag) f, argv[i], &values[f]);
        } else {
            err = amp_complain(2, flags[f].name, "needs a value");
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    out->layout = (unsigned) values[LAYOUT].number;
    if (values[ITERATIONS].given)
        out->iterations = values[ITERATIONS].number;
    out->lesson = values[LESSON].word;
    return err;
}

static int read_verb(const char *word, enum amp_verb *out)
{
    const char *nearest = amp_suggest(word, verbs, COUNT(verbs), amp_suggest_limit(word));

    for (size_t v = 0; v < COUNT(verbs); v++)
        if (strcmp(word, verbs[v]) == 0) {
            *out = (enum amp_verb) v;
            return 0;
        }
    if (nearest)
        return amp_complain(2, word, "no such verb; the nearest is '%s'", nearest);
    return amp_complain(2, word,
                        "no such verb; there are paired, counters, allocators, list, check-budgets, machine, child, "
                        "help and version");
}

static bool takes_a_word(enum amp_verb verb)
{
    return verb == AMP_VERB_CHILD || verb == AMP_VERB_COUNTERS || verb == AMP_VERB_COUNTERS_CHILD ||
           verb == AMP_VERB_PROFILED;
}

static int refuse_words(enum amp_verb verb)
{
    return amp_complain(2, verbs[verb], "needs one word, %s",
                        verb == AMP_VERB_COUNTERS   ? "the folder of a run"
                        : verb == AMP_VERB_CHILD    ? "its task as JSON"
                        : verb == AMP_VERB_PROFILED ? "a side and a row, or a file of rows"
                                                    : "the file of its rows");
}

int amp_options_parse(int *argc, char **argv, const char *(*usage)(void), struct amp_options *out)
{
    struct value values[N_FLAGS] = { { .given = false } };
    const char *first = *argc > 1 ? argv[1] : "";
    char **rest = NULL;
    int err;

    *out = (struct amp_options){ .verb = AMP_VERB_SOLO };
    if (strcmp(first, "--version") == 0)
        first = "version";
    if (!*first || *first == '-')
        return read_solo(argc, argv, usage(), out);
    err = read_verb(first, &out->verb);
    if (!err && takes_a_word(out->verb)) {
        out->task = argv[2];
        return *argc == 3 ? 0 : refuse_words(out->verb);
    }
    if (!err)
        err = read_flags(out->verb, *argc - 1, argv + 1, values, &rest);
    out->filter = values[FILTER].word;
    out->questions = values[QUESTIONS].given;
    out->draw_seed = !values[SEED].given && !values[RESUME].given;
    if (!err && out->verb == AMP_VERB_PAIRED)
        err = read_paired(values, &out->launch);
    else if (!err && out->verb == AMP_VERB_ALLOCATORS)
        err = read_allocators(values, rest, &out->matrix);
    return err;
}
