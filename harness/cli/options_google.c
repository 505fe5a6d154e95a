/* SPDX-License-Identifier: MIT */
#include "harness/cli/options_google.h"

#include "harness/text/complain.h"
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

/* From the usage text of the linked version: "[--benchmark_color={auto|true|false}]". */
static struct google_flag {
    char name[64], takes[64];
} google_flags[64];
static size_t n_flags;

void amp_google_flags_read(const char *usage)
{
    for (n_flags = 0; n_flags < COUNT(google_flags) && (usage = strstr(usage, "[--")); usage++) {
        struct google_flag *flag = &google_flags[n_flags];

        n_flags += sscanf(usage, "[%63[^]=]=%63[^]\n]", flag->name, flag->takes) == 2;
    }
}

/* Whether a value is one of the words that stand between '|', in upper or lower case. */
static bool is_one_of(const char *value, const char *words)
{
    size_t n = strlen(value), length;

    for (; *(words += strspn(words, "|{}<>")); words += length) {
        length = strcspn(words, "|{}<>");
        if (length == n && strncasecmp(value, words, n) == 0)
            return true;
    }
    return false;
}

/* "<console|json|csv>" -> "console, json, csv" */
static const char *list(const char *words, char *out, size_t cap)
{
    size_t n = 0;

    for (words++; *words && !strchr("}>", *words) && n + 3 < cap; words++)
        n += (size_t) sprintf(out + n, *words == '|' ? ", " : "%c", *words);
    return out;
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

static bool takes_time(const struct google_flag *flag)
{
    size_t n = strlen(flag->name), end = strlen("_time");

    return n > end && strcmp(flag->name + n - end, "_time") == 0;
}

static int check_number(const char *shown, const char *value, unsigned from, unsigned to)
{
    uint64_t number;

    return is_number(value, from, to, &number)
               ? 0
               : amp_complain(2, shown, "'%s' is not a whole number from %u to %u", value, from, to);
}

/* `shown` is what the message calls the flag: by its name, or by that of the variable. */
static int check(const struct google_flag *flag, const char *shown, const char *value)
{
    const char *takes = flag->takes;
    char words[64];
    FILE *file;

    if (strstr(takes, "true|false"))
        return is_one_of(value, takes) || is_one_of(value, "yes|no|on|off|t|f|y|n|1|0")
                   ? 0
                   : amp_complain(2, shown, "'%s' is none of true, false%s", value,
                                  strstr(takes, "auto") ? ", auto" : "");
    if (strchr(takes, '|'))
        return is_one_of(value, takes)
                   ? 0
                   : amp_complain(2, shown, "'%s' is none of %s", value, list(takes, words, sizeof words));
    if (takes_time(flag))
        return seconds_in(value) ? 0 : amp_complain(2, shown, "'%s' is not a time in seconds, such as 0.5", value);
    if (strcmp(takes, "<num_repetitions>") == 0)
        return check_number(shown, value, 1, 1000000);
    if (strcmp(takes, "<verbosity>") == 0)
        return check_number(shown, value, 0, 9);
    if (strcmp(takes, "<filename>") != 0)
        return 0;
    file = fopen(value, "a"); /* libbenchmark would say so with status 1 */
    return !file || fclose(file) ? amp_complain(2, shown, "'%s': %s", value, strerror(errno)) : 0;
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

/* 1.8 and later: "`<integer>x` OR `<float>s`" */
static const char *unit_of(const struct google_flag *flag)
{
    return strstr(flag->takes, ">s") ? "s" : "";
}

/* Words that must live until the process ends, even if libbenchmark removes them from argv. */
static struct kept_word {
    struct kept_word *next;
    char text[];
} *kept_words;

/* The flag with a time in the form of the linked version; NULL if there is no memory. */
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
    for (const struct google_flag *flag = google_flags; flag < google_flags + n_flags; flag++) {
        if (!word[length] || strlen(flag->name) != length || strncmp(word, flag->name, length) != 0)
            continue;
        if (takes_iterations(flag, value, iterations)) {
            *out = NULL;
            return 0;
        }
        err = check(flag, flag->name, value);
        if (err || !takes_time(flag))
            return err;
        *out = keep_time(flag, value);
        return *out ? 0 : amp_complain(2, flag->name, "%s", strerror(ENOMEM));
    }
    return 0;
}

int amp_google_environment_take(uint64_t *iterations)
{
    for (const struct google_flag *flag = google_flags; flag < google_flags + n_flags; flag++) {
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
        if (takes_time(flag) && value[seconds_in(value)] && !*unit_of(flag)) /* it was read before main() */
            return amp_complain(2, name, "'%s': this version of libbenchmark takes it without its unit", value);
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
        return amp_complain(2, flag, "neither a verb, which comes first, nor a flag");
    for (size_t i = 0; i < n_flags; i++)
        names[5 + i] = google_flags[i].name;
    nearest = amp_suggest(name, names, n_flags + 5, amp_suggest_limit(name));
    if (nearest && strcmp(nearest, name) == 0)
        return amp_complain(2, name, "%s", strchr(flag, '=') ? "cannot have this value" : "needs a value, after '='");
    if (nearest)
        return amp_complain(2, name, "no such flag; the nearest is '%s'", nearest);
    return amp_complain(2, name, "no such flag; 'ampersand-bench --help' lists them");
}
