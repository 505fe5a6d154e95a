/* SPDX-License-Identifier: MIT */
#include "harness/cli/flags.h"

#include "harness/text/complain.h"
#include "harness/text/quantity.h"
#include "harness/text/suggest.h"
#include "harness/text/utf8.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const verbs[] = {
    [AMP_VERB_PAIRED] = "paired",           [AMP_VERB_ALLOCATORS] = "allocators",
    [AMP_VERB_LIST] = "list",               [AMP_VERB_BUDGETS] = "check-budgets",
    [AMP_VERB_PROFILED] = "profile-child",  [AMP_VERB_CHILD] = "child",
    [AMP_VERB_COUNTERS] = "counters",       [AMP_VERB_COUNTERS_CHILD] = "counters-child",
    [AMP_VERB_MACHINE] = "machine",         [AMP_VERB_HELP] = "help",
    [AMP_VERB_VERSION] = "version",
};

#define BOTH (1 << AMP_VERB_PAIRED | 1 << AMP_VERB_ALLOCATORS)

/* The range of a number ends where it stops making sense: for seeds, where JSON readers with doubles begin to round;
 * for rounds, where a block takes longer than the default time-out. */
static const struct {
    const char *name;
    enum { WORD, LIST, NUMBER, EVEN, SIZE, PERCENT, DURATION, SWITCH } kind; /* LIST: a word, again and again */
    uint64_t low, high;
    unsigned verbs; /* a bit for each that takes it */
} flags[AMP_FLAGS] = {
    [AMP_FLAG_OUT] = { "--out", WORD, 0, 0, BOTH },
    [AMP_FLAG_RESUME] = { "--resume", WORD, 0, 0, BOTH },
    [AMP_FLAG_ROWS] = { "--rows", WORD, 0, 0, 1 << AMP_VERB_PAIRED },
    [AMP_FLAG_SOLO_ROWS] = { "--solo-rows", WORD, 0, 0, 1 << AMP_VERB_PAIRED },
    [AMP_FLAG_FILTER] = { "--filter", WORD, 0, 0, 1 << AMP_VERB_PAIRED | 1 << AMP_VERB_LIST | 1 << AMP_VERB_BUDGETS },
    [AMP_FLAG_SHARD] = { "--shard", WORD, 0, 0, 1 << AMP_VERB_PAIRED },
    [AMP_FLAG_QUICK] = { "--quick", SWITCH, 0, 0, BOTH },
    [AMP_FLAG_LAUNCHES] = { "--launches", NUMBER, 1, 1000, BOTH },
    [AMP_FLAG_COUNTS_LAUNCHES] = { "--counts-launches", NUMBER, 0, 1000, 1 << AMP_VERB_PAIRED },
    [AMP_FLAG_SOLO_LAUNCHES] = { "--solo-launches", NUMBER, 0, 1000, 1 << AMP_VERB_PAIRED },
    [AMP_FLAG_PRECISION] = { "--precision", PERCENT, 100, 500000, 1 << AMP_VERB_PAIRED }, /* in millionths */
    [AMP_FLAG_BUDGET] = { "--budget", DURATION, 1, 604800, 1 << AMP_VERB_PAIRED },        /* in seconds */
    [AMP_FLAG_SEED] = { "--seed", NUMBER, 0, AMP_SEED_MOST, BOTH },
    [AMP_FLAG_LAYOUT] = { "--layout", NUMBER, 0, 9999, 1 << AMP_VERB_PAIRED | 1 << AMP_VERB_SOLO },
    [AMP_FLAG_LESSON] = { "--lesson", WORD, 0, 0, 1 << AMP_VERB_SOLO },
    [AMP_FLAG_EPOCH_US] = { "--epoch-us", NUMBER, 1, 1000000, 1 << AMP_VERB_PAIRED },
    [AMP_FLAG_ROUNDS] = { "--rounds", EVEN, 2, 10000, 1 << AMP_VERB_PAIRED },
    [AMP_FLAG_NO_WAIT] = { "--no-wait", SWITCH, 0, 0, BOTH },
    [AMP_FLAG_TIMEOUT] = { "--timeout", NUMBER, 1, 86400, BOTH },
    [AMP_FLAG_MEMORY_LIMIT] = { "--memory-limit", SIZE, 1ull << 20, 1ull << 50, BOTH },
    [AMP_FLAG_QUESTIONS] = { "--questions", SWITCH, 0, 0, 1 << AMP_VERB_LIST },
    [AMP_FLAG_ITERATIONS] = { "--iterations", NUMBER, 1, 1000000000000, 1 << AMP_VERB_SOLO },
    [AMP_FLAG_CONFIG] = { "--config", LIST, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_WORKLOAD] = { "--workload", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_BASELINE] = { "--baseline", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_TIMELINES] = { "--timelines", NUMBER, 0, 100, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_METRIC] = { "--metric", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_MORE_IS_BETTER] = { "--more-is-better", SWITCH, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_LOAD] = { "--load", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_TRACE] = { "--trace", LIST, 0, 0, 1 << AMP_VERB_ALLOCATORS },
    [AMP_FLAG_INPUT] = { "--input", WORD, 0, 0, 1 << AMP_VERB_ALLOCATORS },
};

const char *amp_flag_name(enum amp_flag flag)
{
    return flags[flag].name;
}

bool amp_flag_is_of(enum amp_flag flag, enum amp_verb verb)
{
    return flags[flag].verbs & 1u << verb;
}

static bool is_word(enum amp_flag flag)
{
    return flags[flag].kind == WORD || flags[flag].kind == LIST;
}

/* Read a number of the flag's kind. */
static bool read_number(enum amp_flag flag, const char *text, uint64_t *out)
{
    static bool (*const readers[])(const char **, uint64_t *) = {
        [NUMBER] = amp_quantity_read_digits,   [EVEN] = amp_quantity_read_digits,       [SIZE] = amp_quantity_read_size,
        [PERCENT] = amp_quantity_read_percent, [DURATION] = amp_quantity_read_duration,
    };

    return readers[flags[flag].kind](&text, out) && !*text && *out >= flags[flag].low && *out <= flags[flag].high &&
           (flags[flag].kind != EVEN || *out % 2 == 0);
}

static int refuse_number(enum amp_flag flag, const char *text)
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

int amp_flag_read(enum amp_flag flag, const char *text, struct amp_value *out)
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

const char *amp_verb_called(enum amp_verb verb)
{
    return verb == AMP_VERB_PAIRED && getenv("AMPERSAND_COMMAND") ? "bench" : verbs[verb];
}

/* The command that prints the verb's help. */
static const char *help_on(enum amp_verb verb)
{
    static char text[256];
    const char *door = getenv("AMPERSAND_COMMAND");

    snprintf(text, sizeof text, "%s help%s%s", door ? door : "ampersand-bench", door ? " " : "",
             door ? amp_verb_called(verb) : "");
    return text;
}

/* Refuse a word that is not a flag of the verb. */
static int refuse(const char *word, enum amp_verb verb)
{
    const char *names[AMP_FLAGS], *nearest;
    char flag[AMP_SUGGEST_CHARS + 1];
    size_t n = 0;

    snprintf(flag, sizeof flag, "%.*s", (int) strcspn(word, "="), word);
    for (size_t f = 0; f < AMP_FLAGS; f++)
        if (amp_flag_is_of((enum amp_flag) f, verb))
            names[n++] = flags[f].name;
    nearest = amp_suggest(flag, names, n, amp_suggest_limit(flag));
    if (word[0] != '-' || (nearest && strcmp(nearest, flag) == 0)) /* the flag itself: it stands behind "--" */
        return amp_complain(2, word, "'%s' takes no such word; '%s' says what it takes", amp_verb_called(verb),
                            help_on(verb));
    if (nearest)
        return amp_complain(2, flag, "'%s' has no such flag; the nearest is '%s', and '%s' lists them",
                            amp_verb_called(verb), nearest, help_on(verb));
    return amp_complain(2, flag, "'%s' has no such flag; '%s' lists them", amp_verb_called(verb), help_on(verb));
}

int amp_verb_read(const char *word, enum amp_verb *out)
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

int amp_flags_read(enum amp_verb verb, int argc, char **argv, struct amp_value *values, char ***rest)
{
    struct option options[AMP_FLAGS + 1] = { { .name = NULL } };
    int n = 0, c, err = 0, at = 1;

    for (int f = 0; f < AMP_FLAGS; f++)
        if (amp_flag_is_of((enum amp_flag) f, verb))
            options[n++] = (struct option){ flags[f].name + 2, flags[f].kind != SWITCH, NULL, 256 + f };
    opterr = 0; /* its messages have another form */
    for (optind = at; !err && (c = getopt_long(argc, argv, "+:", options, NULL)) != -1; at = optind) {
        if (c >= 256 && strcspn(argv[at], "=") != strlen(flags[c - 256].name))
            err = refuse(argv[at], verb); /* getopt_long takes abbreviations; the door, which reads flags, does not */
        else if (c >= 256)
            err = amp_flag_read((enum amp_flag)(c - 256), optarg ? optarg : "", &values[c - 256]);
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

