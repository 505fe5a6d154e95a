/* SPDX-License-Identifier: MIT */
#include "harness/cli/options_google.h"

#include "harness/build_info.h"
#include "harness/cli/options.h"
#include "harness/text/quantity.h"
#include "harness/text/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum kind { TEXT, YES_OR_NO, TIME, NUMBER, WORD, FILE_NAME };

static const struct google_flag {
    const char *name;
    enum kind kind;
    const char *words[4]; /* WORD: all that it may be; YES_OR_NO: what it may be besides */
    int from, to;         /* NUMBER */
} google_flags[] = {
    { "--benchmark_list_tests", YES_OR_NO, { 0 }, 0, 0 },
    { "--benchmark_filter", TEXT, { 0 }, 0, 0 },
    { "--benchmark_min_time", TIME, { 0 }, 0, 0 },
    { "--benchmark_min_warmup_time", TIME, { 0 }, 0, 0 },
    { "--benchmark_repetitions", NUMBER, { 0 }, 1, 1000000 },
    { "--benchmark_enable_random_interleaving", YES_OR_NO, { 0 }, 0, 0 },
    { "--benchmark_report_aggregates_only", YES_OR_NO, { 0 }, 0, 0 },
    { "--benchmark_display_aggregates_only", YES_OR_NO, { 0 }, 0, 0 },
    { "--benchmark_format", WORD, { "console", "json", "csv" }, 0, 0 },
    { "--benchmark_out", FILE_NAME, { 0 }, 0, 0 },
    { "--benchmark_out_format", WORD, { "json", "console", "csv" }, 0, 0 },
    { "--benchmark_color", YES_OR_NO, { "auto" }, 0, 0 },
    { "--benchmark_counters_tabular", YES_OR_NO, { 0 }, 0, 0 },
    { "--benchmark_context", TEXT, { 0 }, 0, 0 },
    { "--benchmark_perf_counters", TEXT, { 0 }, 0, 0 },
    { "--benchmark_time_unit", WORD, { "ns", "us", "ms", "s" }, 0, 0 },
    { "--v", NUMBER, { 0 }, 0, 9 },
};

static bool is_one_of(const char *value, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n && words[i]; i++)
        if (strcasecmp(value, words[i]) == 0)
            return true;
    return false;
}

static bool is_number(const char *text, uint64_t from, uint64_t to, uint64_t *out)
{
    return amp_quantity_read_digits(&text, out) && !*text && *out >= from && *out <= to;
}

/* "0.5", "0.5s": the length of the number; 0 if it is none. */
static size_t seconds_in(const char *text)
{
    size_t n = strspn(text, "0123456789.e-");
    char *end;
    double value = strtod(text, &end);

    return n > 0 && end == text + n && (!*end || strcmp(end, "s") == 0) && value >= 0 && value <= 86400 ? n : 0;
}

/* `shown` is what the message calls the flag: by its name, or by that of the variable. */
static int check(const struct google_flag *flag, const char *shown, const char *value)
{
    static const char *const answers[] = { "true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0" };
    const char *const *words = flag->words;
    uint64_t number;
    FILE *file;

    switch (flag->kind) {
    case YES_OR_NO:
        return is_one_of(value, answers, COUNT(answers)) || is_one_of(value, words, COUNT(flag->words))
                   ? 0
                   : amp_options_wrong(shown, "'%s' is none of true, false%s%s", value, words[0] ? ", " : "",
                                       words[0] ? words[0] : "");
    case TIME:
        return seconds_in(value) ? 0 : amp_options_wrong(shown, "'%s' is not a time in seconds, such as 0.5", value);
    case NUMBER:
        return is_number(value, (uint64_t) flag->from, (uint64_t) flag->to, &number)
                   ? 0
                   : amp_options_wrong(shown, "'%s' is not a whole number from %d to %d", value, flag->from, flag->to);
    case WORD:
        return amp_suggest(value, words, words[3] ? 4 : 3, 0)
                   ? 0
                   : amp_options_wrong(shown, "'%s' is none of %s, %s, %s%s%s", value, words[0], words[1], words[2],
                                       words[3] ? ", " : "", words[3] ? words[3] : "");
    case FILE_NAME:
        file = fopen(value, "a"); /* libbenchmark would say so with status 1 */
        return !file || fclose(file) ? amp_options_wrong(shown, "'%s': %s", value, strerror(errno)) : 0;
    case TEXT:
        break;
    }
    return 0;
}

/* --benchmark_min_time=100x */
static bool takes_iterations(const struct google_flag *flag, const char *value, uint64_t *iterations)
{
    char digits[24];
    size_t n = strlen(value);
    uint64_t found;

    if (strcmp(flag->name, "--benchmark_min_time") != 0 || n < 2 || n > sizeof digits || value[n - 1] != 'x')
        return false;
    snprintf(digits, sizeof digits, "%.*s", (int) n - 1, value);
    if (!is_number(digits, 1, 1000000000000, &found))
        return false;
    *iterations = found;
    return true;
}

/* A time as the linked version takes it; only the one flag has ever had a unit. */
static const char *unit_of(const struct google_flag *flag)
{
    return strcmp(flag->name, "--benchmark_min_time") == 0 ? AMP_BENCHMARK_SECOND : "";
}

/* Words that stand in argv until the process ends, which libbenchmark may have taken out of it. */
static struct kept_word {
    struct kept_word *next;
    char text[];
} *kept_words;

/* The flag with a time that the linked version takes, NULL without memory. */
static char *keep_time(const struct google_flag *flag, const char *value)
{
    size_t size = strlen(flag->name) + strlen(value) + sizeof "=s";
    struct kept_word *word = malloc(sizeof *word + size);

    if (!word)
        return NULL;
    snprintf(word->text, size, "%s=%.*s%s", flag->name, (int) seconds_in(value), value, unit_of(flag));
    word->next = kept_words;
    kept_words = word;
    return word->text;
}

int amp_google_flag_take(const char *word, char **out, uint64_t *iterations)
{
    size_t length = strcspn(word, "=");
    const char *value = word + length + 1;
    int err;

    *out = (char *) (uintptr_t) word;
    for (const struct google_flag *flag = google_flags; flag < google_flags + COUNT(google_flags); flag++) {
        if (!word[length] || strlen(flag->name) != length || strncmp(word, flag->name, length) != 0)
            continue;
        if (takes_iterations(flag, value, iterations)) {
            *out = NULL;
            return 0;
        }
        err = check(flag, flag->name, value);
        if (err || flag->kind != TIME)
            return err;
        *out = keep_time(flag, value);
        return *out ? 0 : amp_options_wrong(flag->name, "%s", strerror(ENOMEM));
    }
    return 0;
}

int amp_google_environment_take(uint64_t *iterations)
{
    for (const struct google_flag *flag = google_flags; flag < google_flags + COUNT(google_flags); flag++) {
        char name[64];
        const char *value;
        int err;

        snprintf(name, sizeof name, "%s", flag->name + 2);
        for (char *c = name; *c; c++)
            *c = (char) toupper((unsigned char) *c);
        value = flag->name[3] ? getenv(name) : NULL; /* a variable V is somebody else's */
        if (!value || takes_iterations(flag, value, iterations))
            continue;
        err = check(flag, name, value);
        if (err)
            return err;
        if (flag->kind == TIME && value[seconds_in(value)] && !*unit_of(flag)) /* it was read before main() */
            return amp_options_wrong(name, "'%s': this version of libbenchmark takes it without its unit", value);
    }
    return 0;
}

int amp_google_flag_refuse(const char *flag)
{
    const char *names[COUNT(google_flags) + 5] = { "--layout", "--lesson", "--iterations", "--help", "--version" },
                                             *nearest;
    char name[AMP_SUGGEST_CHARS + 1];

    snprintf(name, sizeof name, "%.*s", (int) strcspn(flag, "="), flag);
    if (flag[0] != '-')
        return amp_options_wrong(flag, "neither a verb, which comes first, nor a flag");
    for (size_t i = 0; i < COUNT(google_flags); i++)
        names[5 + i] = google_flags[i].name;
    nearest = amp_suggest(name, names, COUNT(names), amp_suggest_limit(name));
    if (nearest && strcmp(nearest, name) == 0)
        return amp_options_wrong(name, "%s", strchr(flag, '=') ? "cannot have this value" : "needs a value, after '='");
    if (nearest)
        return amp_options_wrong(name, "no such flag; the nearest is '%s'", nearest);
    return amp_options_wrong(name, "no such flag; 'ampersand-bench --help' lists them");
}
