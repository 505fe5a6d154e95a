/* SPDX-License-Identifier: MIT */
#include "harness/collectors/options.h"

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
#define MEBI ((uint64_t) 1 << 20)

const char *const amp_collector_names[AMP_COLLECTORS] = { "ours", "boehm", "go" };
const char *const amp_gc_workload_names[AMP_GC_WORKLOADS] = { "cache", "queue", "tree", "server" };

enum flag { OUT, RESUME, GO, COLLECTOR, WORKLOAD, GOGC, LIVE, LAUNCHES, SEED, TIMEOUT, MEMORY_LIMIT, QUICK, NO_WAIT };

/* In the order of enum flag. GOGC and live sizes may be several, with commas between them. */
static const struct {
    const char *name;
    enum { WORD, NAMES, NUMBERS, SIZES, NUMBER, SIZE, SWITCH } kind;
    uint64_t low, high;
} flags[] = {
    [OUT] = { "--out", WORD, 0, 0 },
    [RESUME] = { "--resume", WORD, 0, 0 },
    [GO] = { "--go", WORD, 0, 0 },
    [COLLECTOR] = { "--collector", NAMES, 0, 0 },
    [WORKLOAD] = { "--workload", NAMES, 0, 0 },
    [GOGC] = { "--gogc", NUMBERS, 25, 800 },
    [LIVE] = { "--live", SIZES, MEBI, (uint64_t) 16 << 30 },
    [LAUNCHES] = { "--launches", NUMBER, 1, 100 },
    [SEED] = { "--seed", NUMBER, 0, ((uint64_t) 1 << 53) - 1 },
    [TIMEOUT] = { "--timeout", NUMBER, 1, 86400 },
    [MEMORY_LIMIT] = { "--memory-limit", SIZE, MEBI, (uint64_t) 1 << 50 },
    [QUICK] = { "--quick", SWITCH, 0, 0 },
    [NO_WAIT] = { "--no-wait", SWITCH, 0, 0 },
};

static int refuse_flag(const char *word)
{
    const char *names[COUNT(flags)], *nearest;
    char flag[AMP_SUGGEST_CHARS + 1];
    size_t n = strcspn(word, "=");

    n = n < AMP_SUGGEST_CHARS ? n : AMP_SUGGEST_CHARS;
    memcpy(flag, word, n);
    flag[n] = '\0';
    for (size_t f = 0; f < COUNT(flags); f++)
        names[f] = flags[f].name;
    nearest = amp_suggest(flag, names, COUNT(flags), amp_suggest_limit(flag));
    if (word[0] != '-' || !nearest)
        return amp_complain(2, flag, "'gc' takes no such word; 'ampersand help gc' says what it takes");
    return amp_complain(2, flag, "'gc' has no such flag; the nearest is '%s', and 'ampersand help gc' lists them",
                        nearest);
}

/* Cut the next word off a list with commas; NULL behind the last. */
static char *next_word(char **list)
{
    char *word = *list, *comma = word ? strchr(word, ',') : NULL;

    if (comma)
        *comma = '\0';
    *list = comma ? comma + 1 : NULL;
    return word;
}

/* All of them, with commas between; static storage. */
static const char *list_names(const char *const *known, size_t n_known)
{
    static char text[128];
    size_t length = 0;

    for (size_t i = 0; i < n_known; i++)
        length += (size_t) snprintf(text + length, sizeof text - length, "%s%s", i ? ", " : "", known[i]);
    return text;
}

/* Each of the known names at most once, in the order given. */
static int read_names(const char *flag, char *list, const char *const *known, size_t n_known, const char **out, size_t *n)
{
    *n = 0;
    for (char *word = next_word(&list); word; word = next_word(&list)) {
        const char *found = NULL;

        for (size_t i = 0; i < n_known; i++)
            found = strcmp(word, known[i]) == 0 ? known[i] : found;
        if (!found)
            return amp_complain(2, flag, "'%s' is none of %s", word, list_names(known, n_known));
        for (size_t i = 0; i < *n; i++)
            if (out[i] == found)
                return amp_complain(2, flag, "'%s' is there twice", word);
        out[(*n)++] = found;
    }
    return 0;
}

static bool read_one(enum flag flag, const char *word, uint64_t *out)
{
    bool size = flags[flag].kind == SIZES || flags[flag].kind == SIZE;

    return (size ? amp_quantity_read_size : amp_quantity_read_digits)(&word, out) && !*word &&
           *out >= flags[flag].low && *out <= flags[flag].high;
}

static int refuse_number(enum flag flag, const char *word)
{
    if (flags[flag].kind == SIZES)
        return amp_complain(2, flags[flag].name, "'%s' is not a size such as 64M, from 1M to 16G", word);
    if (flags[flag].kind == SIZE)
        return amp_complain(2, flags[flag].name, "'%s' is not a size such as 512M or 8G, from 1M to 1024T", word);
    return amp_complain(2, flags[flag].name, "'%s' is not a whole number from %" PRIu64 " to %" PRIu64, word,
                        flags[flag].low, flags[flag].high);
}

static int read_numbers(enum flag flag, char *list, uint64_t *out, size_t *n)
{
    *n = 0;
    for (char *word = next_word(&list); word; word = next_word(&list)) {
        if (*n == AMP_GC_POINTS)
            return amp_complain(2, flags[flag].name, "more than %d of them", AMP_GC_POINTS);
        if (!read_one(flag, word, &out[*n]))
            return refuse_number(flag, word);
        for (size_t i = 0; i < *n; i++)
            if (out[i] == out[*n])
                return amp_complain(2, flags[flag].name, "'%s' is there twice", word);
        (*n)++;
    }
    return 0;
}

static int read_text(enum flag flag, char *text, struct amp_collectors_options *out)
{
    switch (flag) {
    case OUT:
        out->out = text;
        return 0;
    case RESUME:
        out->resume = text;
        return 0;
    case GO:
        out->go = text;
        return 0;
    case COLLECTOR:
        out->by_name = true;
        return read_names("--collector", text, amp_collector_names, AMP_COLLECTORS, out->collectors,
                          &out->n_collectors);
    case WORKLOAD:
        return read_names("--workload", text, amp_gc_workload_names, AMP_GC_WORKLOADS, out->workloads,
                          &out->n_workloads);
    case GOGC:
        return read_numbers(flag, text, out->gogc, &out->n_gogc);
    case LIVE:
        return read_numbers(flag, text, out->live_b, &out->n_live);
    default:
        return 0;
    }
}

static int read_value(enum flag flag, char *text, struct amp_collectors_options *out)
{
    uint64_t n = 0;

    if (flags[flag].kind != SWITCH && !*text)
        return amp_complain(2, flags[flag].name, "its value is empty");
    if (!amp_text_is_utf8(text))
        return amp_complain(2, flags[flag].name, "'%s' is not in UTF-8, which files of a run are written in", text);
    if ((flags[flag].kind == NUMBER || flags[flag].kind == SIZE) && !read_one(flag, text, &n))
        return refuse_number(flag, text);
    out->quick = out->quick || flag == QUICK;
    out->no_wait = out->no_wait || flag == NO_WAIT;
    out->launches = flag == LAUNCHES ? (unsigned) n : out->launches;
    out->timeout_s = flag == TIMEOUT ? (unsigned) n : out->timeout_s;
    out->memory_limit_b = flag == MEMORY_LIMIT ? n : out->memory_limit_b;
    if (flag == SEED) {
        out->seed = n;
        out->draw_seed = false;
    }
    return read_text(flag, text, out);
}

static int read_flags(int argc, char **argv, struct amp_collectors_options *out, unsigned *given)
{
    struct option options[COUNT(flags) + 1] = { { .name = NULL } };
    static char none[] = "";
    int err = 0, c, at = 1;

    for (size_t f = 0; f < COUNT(flags); f++)
        options[f] = (struct option){ flags[f].name + 2, flags[f].kind != SWITCH, NULL, (int) (256 + f) };
    opterr = 0;
    for (optind = at; !err && (c = getopt_long(argc, argv, "+:", options, NULL)) != -1; at = optind) {
        if (c >= 256 && strcspn(argv[at], "=") != strlen(flags[c - 256].name)) {
            err = refuse_flag(argv[at]); /* an abbreviation, which the door does not know */
        } else if (c >= 256) {
            *given |= 1u << (c - 256);
            err = read_value((enum flag)(c - 256), optarg ? optarg : none, out);
        } else if (optopt >= 256) {
            err = amp_complain(2, flags[optopt - 256].name, c == ':' ? "needs a value" : "takes no value");
        } else {
            err = refuse_flag(argv[at]);
        }
    }
    return err || optind >= argc ? err : refuse_flag(argv[optind]);
}

/* What nobody asked for otherwise. A quick run has two workloads of small heaps. */
static void fill_in(struct amp_collectors_options *o)
{
    static const uint64_t gogc[] = { 50, 100, 200, 400 };
    bool quick = o->quick;

    for (; !o->by_name && o->n_collectors < AMP_COLLECTORS; o->n_collectors++)
        o->collectors[o->n_collectors] = amp_collector_names[o->n_collectors];
    if (o->n_workloads == 0) {
        o->n_workloads = quick ? 2 : AMP_GC_WORKLOADS;
        for (size_t i = 0; i < o->n_workloads; i++)
            o->workloads[i] = amp_gc_workload_names[quick ? i + 2 : i];
    }
    for (size_t i = 0, n = o->n_gogc; i < COUNT(gogc) && n == 0; i++)
        o->gogc[o->n_gogc++] = gogc[i];
    if (o->n_live == 0) {
        o->live_b[o->n_live++] = quick ? 4 * MEBI : 16 * MEBI;
        o->live_b[o->n_live++] = quick ? 16 * MEBI : 64 * MEBI;
    }
    o->launches = o->launches ? o->launches : quick ? 1 : 2;
    o->cycles = quick ? 12 : 16;
    o->turnover = quick ? 16 : 32;
    o->pauses = quick ? 200 : 1000;
    o->timeout_s = o->timeout_s ? o->timeout_s : 600;
    o->memory_limit_b = o->memory_limit_b ? o->memory_limit_b : (uint64_t) 128 << 30; /* of addresses: Go's are many */
}

int amp_collectors_options_parse(int argc, char **argv, struct amp_collectors_options *out)
{
    unsigned given = 0;
    int err;

    *out = (struct amp_collectors_options){ .draw_seed = true };
    err = read_flags(argc, argv, out, &given);
    if (err)
        return err;
    if (out->resume && given & ~(1u << RESUME | 1u << GO))
        return amp_complain(2, "--resume", "stands alone: a run goes on with its own settings");
    if (!out->out && !out->resume)
        return amp_complain(2, "gc", "needs --out DIR, or --resume RUN");
    fill_in(out);
    if (out->resume || !out->draw_seed)
        return 0;
    if (getrandom(&out->seed, sizeof out->seed, 0) != sizeof out->seed)
        return amp_complain(2, "--seed", "none given, and none can be drawn: %s", strerror(errno));
    out->seed &= flags[SEED].high;
    return amp_complain(0, "seed", "%" PRIu64 ", drawn; '--seed %" PRIu64 "' makes the same random choices again",
                        out->seed, out->seed);
}
