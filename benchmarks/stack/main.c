/* SPDX-License-Identifier: MIT
 *
 * ampersand-stack walk [flags]            the walk, live, on a stack that grows
 * ampersand-stack measure [--rounds N]    what plots/stack/stack.py judges, as JSON
 * ampersand-stack crowd KIND N [mixed]    many coroutines at once; KIND is growable or fixed */
#include "benchmarks/stack/clock.h"
#include "benchmarks/stack/measure.h"
#include "harness/text/quantity.h"
#include "harness/stack/stack.h"
#include "harness/text/suggest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_WRONG_USE 2

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("ampersand: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_WRONG_USE);
}

/* ---- The live walk */

static const struct {
    const char *name;
    unsigned factor, modes;
    const char *what;
} policies[] = {
    { "go", 2, 0, "doubled until a frame and 928 B fit" },
    { "x4", 4, 0, "fourfold until a frame and 928 B fit" },
    { "x8", 8, 0, "eightfold until a frame and 928 B fit" },
    { "x16", 16, 0, "sixteenfold until a frame and 928 B fit" },
    { "force", 2, AMP_STACK_FORCE | AMP_STACK_POISON, "moved at every check, and what is left overwritten" },
    { "probe", 2, AMP_STACK_PROBE, "never moved: what would be needed is noted" },
};
#define N_POLICIES (sizeof policies / sizeof *policies)

struct options {
    uint64_t size, depth, start_b, limit_b;
    size_t policy;
    bool pointer;
};

/* 2 KiB where that is a whole number, else bytes. */
static const char *size_text(size_t size_b)
{
    static char text[4][32];
    static unsigned next;
    char *out = text[next++ % 4];

    if (size_b >= 1 << 30 && size_b % (1 << 30) == 0)
        snprintf(out, sizeof text[0], "%zu GiB", size_b >> 30);
    else if (size_b >= 1 << 20 && size_b % (1 << 20) == 0)
        snprintf(out, sizeof text[0], "%zu MiB", size_b >> 20);
    else if (size_b >= 1024 && size_b % 1024 == 0)
        snprintf(out, sizeof text[0], "%zu KiB", size_b >> 10);
    else
        snprintf(out, sizeof text[0], "%zu B", size_b);
    return out;
}

static void watch(void *unused, const struct amp_stack_event *e)
{
    (void) unused;
    printf("      a frame of %zu B, %zu B of %s in use: ", e->frame_b, e->used_b, size_text(e->old_b));
    if (e->copied_b == 0)
        printf("fits\n");
    else
        printf("%s\n      %zu B copied to %s at %#" PRIxPTR ", %zu address%s adjusted, %" PRIu64 " ns\n",
               e->new_b > e->old_b ? "does not fit" : "moves all the same", e->copied_b, size_text(e->new_b),
               e->new_top - e->new_b, e->adjusted, e->adjusted == 1 ? "" : "es", e->ns);
}

void walk_tell(const struct walk *walk, unsigned depth, const struct string *s)
{
    bool moved = depth > 0 && walk->seen[depth - 1] != s;

    printf("%4u  %p  %s%s\n", depth, (const void *) s, s->text, moved ? "   <- moved" : "");
}

static int walk_live_once(const struct options *o)
{
    struct amp_stack_policy policy = {
        o->start_b, o->limit_b, policies[o->policy].factor, policies[o->policy].modes | AMP_STACK_TRACE, watch, NULL
    };
    static int64_t elements[4096];
    struct walk walk = { .depth = (unsigned) o->depth, .ops = 1, .elements = elements };
    const struct walker *walker = NULL;
    struct amp_stack_stats stats;
    struct amp_stack *stack;
    const char *why;
    int error;

    for (size_t i = 0; i < WALK_SIZES; i++)
        if (walk_live[i].elements == o->size)
            walker = &walk_live[i];
    if (!walker)
        fail("--size: '%" PRIu64 "' is none of 1, 16, 64, 256, 1024 and 4096", o->size);
    if (amp_stack_create(&policy, &stack, &why))
        fail("--start %s --limit %s: %s", size_text(o->start_b), size_text(o->limit_b), why);
    printf("A stack of %s, %s.\nEach call takes an array of %zu elements by %s, and the string's address.\n\n",
           size_text(o->start_b), policies[o->policy].what, walker->elements, o->pointer ? "pointer" : "value");
    printf("   c  &s              *s\n");
    error = amp_stack_run(stack, o->pointer ? walker->pointer : walker->value, &walk, NULL);
    amp_stack_stats(stack, &stats);
    if (error)
        fprintf(stderr, "ampersand: stack: %s\n", amp_stack_message(stack));
    printf("\n%" PRIu64 " checks, %" PRIu64 " moves, %" PRIu64 " B copied, %" PRIu64
           " addresses adjusted, %zu B reserved, %s "
           "in the end\n",
           stats.checks, stats.moves, stats.copied_b, stats.adjusted, stats.reserved_b, size_text(stats.size_b));
    amp_stack_destroy(stack);
    return error ? 1 : 0;
}

/* ---- The command line */

static uint64_t number(const char *flag, const char *text, bool size, uint64_t least, uint64_t most)
{
    const char *end = text;
    uint64_t n = 0;
    bool good = size ? amp_quantity_read_size(&end, &n) : amp_quantity_read_digits(&end, &n);

    if (size && (!good || *end))
        fail("%s: '%s' is not a size, as in 2K or 64K", flag, text);
    if (!good || *end || n < least || n > most)
        fail("%s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64, flag, text, least, most);
    return n;
}

static size_t policy_of(const char *text)
{
    for (size_t i = 0; i < N_POLICIES; i++)
        if (strcmp(policies[i].name, text) == 0)
            return i;
    fail("--policy: '%s' is none of go, x4, x8, x16, force and probe", text);
}

enum flag { SIZE, DEPTH, START, LIMIT, POLICY, POINTER, N_FLAGS };
static const char *const flags[N_FLAGS] = { "--size", "--depth", "--start", "--limit", "--policy", "--pointer" };

static enum flag flag_of(const char *word, size_t n)
{
    const char *command = getenv("AMPERSAND_COMMAND"), *nearest;
    char flag[AMP_SUGGEST_CHARS + 1];

    for (size_t i = 0; i < N_FLAGS; i++)
        if (strlen(flags[i]) == n && strncmp(flags[i], word, n) == 0)
            return (enum flag) i;
    command = command ? command : "ampersand";
    if (word[0] != '-')
        fail("%s: 'stack' takes no such word; '%s help stack' says what it takes", word, command);
    snprintf(flag, sizeof flag, "%.*s", (int) (n < sizeof flag ? n : sizeof flag - 1), word);
    nearest = amp_suggest(flag, flags, N_FLAGS, amp_suggest_limit(flag));
    if (nearest)
        fail("%s: 'stack' has no such flag; the nearest is '%s', and '%s help stack' lists them", flag, nearest,
             command);
    fail("%s: 'stack' has no such flag; '%s help stack' lists them", flag, command);
}

static void take(struct options *o, enum flag flag, const char *value)
{
    if (flag == SIZE)
        o->size = number("--size", value, false, 0, UINT64_MAX);
    else if (flag == DEPTH)
        o->depth = number("--depth", value, false, 1, WALK_DEPTH_MAX);
    else if (flag == START)
        o->start_b = number("--start", value, true, 0, UINT64_MAX);
    else if (flag == LIMIT)
        o->limit_b = number("--limit", value, true, 0, UINT64_MAX);
    else
        o->policy = policy_of(value);
}

static int parse_walk(int argc, char **argv)
{
    struct options o = { .size = 1024, .depth = 10, .start_b = 2048, .limit_b = (uint64_t) 1 << 30 };
    bool limited = false;

    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '='), *value = equals ? equals + 1 : NULL;
        const enum flag flag = flag_of(argv[i], equals ? (size_t) (equals - argv[i]) : strlen(argv[i]));

        if (flag == POINTER) {
            if (value)
                fail("--pointer: takes no value");
            o.pointer = true;
            continue;
        }
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value)
            fail("%s: needs a value", flags[flag]);
        take(&o, flag, value);
        limited = limited || flag == LIMIT;
    }
    if ((policies[o.policy].modes & AMP_STACK_PROBE) && !limited)
        o.limit_b = o.start_b > (64 << 20) ? o.start_b : 64 << 20;
    return walk_live_once(&o);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc >= 2 && strcmp(argv[1], "walk") == 0)
        return parse_walk(argc - 2, argv + 2);
    if (argc >= 2 && strcmp(argv[1], "measure") == 0) {
        if (argc > 2 && (argc != 4 || strcmp(argv[2], "--rounds") != 0))
            fail("measure: takes --rounds N");
        return measure_all((unsigned) (argc == 4 ? number("--rounds", argv[3], false, 1, ARM_ROUNDS_MAX) : 200));
    }
    if (argc >= 4 && argc <= 5 && strcmp(argv[1], "crowd") == 0) {
        if (strcmp(argv[2], "growable") != 0 && strcmp(argv[2], "fixed") != 0)
            fail("crowd %s: growable or fixed", argv[2]);
        return measure_crowd(argv[2], number("crowd", argv[3], false, 1, 1000000), argc == 5);
    }
    fail("walk, measure or crowd, and their flags");
}
