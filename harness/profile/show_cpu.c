/* SPDX-License-Identifier: MIT */
#include "harness/profile/show_cpu.h"

#include "harness/text/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define TOP 14

/* A function, or the code of a library that has no name. */
struct function {
    char *key;
    const char *name, *file; /* NULL: unknown */
    unsigned line;           /* that has most samples in a row of one stack */
    int64_t line_ns;
    int64_t own_ns, all_ns; /* all: with those that it called */
    size_t counted;         /* the last sample in whose all_ns it is: once, however often it is in the stack */
    UT_hash_handle hh;
};

struct functions {
    struct function *table;
    bool failed; /* no memory */
};

static struct function *find(struct functions *functions, const char *name, const char *file)
{
    struct function *found, *made;
    char key[PATH_MAX + 1024];
    size_t before = HASH_COUNT(functions->table);

    snprintf(key, sizeof key, "%s\n%s", name ? name : "", file ? file : "");
    HASH_FIND_STR(functions->table, key, found);
    if (found)
        return found;
    made = calloc(1, sizeof *made);
    if (made && (made->key = strdup(key)) != NULL) {
        made->name = name;
        made->file = file;
        HASH_ADD_KEYPTR(hh, functions->table, made->key, strlen(made->key), made);
        if (HASH_COUNT(functions->table) > before)
            return made;
        free(made->key);
    }
    free(made);
    functions->failed = true;
    return NULL;
}

static void count(struct functions *functions, const struct amp_location *location, size_t i, size_t sample, int64_t ns,
                  bool is_own)
{
    const struct amp_line *line = i < location->n_lines ? &location->lines[i] : NULL;
    struct function *at = find(functions, line ? line->function : NULL,
                               line && line->file ? line->file : location->mapping ? location->mapping->path : NULL);

    if (!at)
        return;
    if (at->counted != sample) {
        at->counted = sample;
        at->all_ns += ns;
    }
    if (!is_own)
        return;
    at->own_ns += ns;
    if (line && ns > at->line_ns) {
        at->line_ns = ns;
        at->line = line->line;
    }
}

static int compare(const struct function *a, const struct function *b)
{
    if (a->own_ns != b->own_ns)
        return a->own_ns > b->own_ns ? -1 : 1;
    if (a->all_ns != b->all_ns)
        return a->all_ns > b->all_ns ? -1 : 1;
    return strcmp(a->key, b->key);
}

static void collect(const struct amp_profile *profile, struct functions *out)
{
    for (size_t s = 0; s < profile->n_samples; s++) {
        const struct amp_sample *sample = &profile->samples[s];

        for (size_t f = 0; f < sample->n; f++)
            for (size_t i = 0; i == 0 || i < sample->stack[f]->n_lines; i++)
                count(out, sample->stack[f], i, s + 1, sample->values[1], f == 0 && i == 0);
    }
    HASH_SORT(out->table, compare);
}

static void give_back(struct functions *functions)
{
    struct function *at, *next;

    HASH_ITER(hh, functions->table, at, next) {
        HASH_DEL(functions->table, at);
        free(at->key);
        free(at);
    }
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void print_function(const struct function *at, double total_ns, FILE *out)
{
    const char *last = at->file ? strrchr(at->file, '/') : NULL, *file = last ? last + 1 : at->file;

    fprintf(out, "%9.3f s %5.1f %% %6.1f %%  %-36.60s %s", (double) at->own_ns / 1e9,
            percent((double) at->own_ns, total_ns), percent((double) at->all_ns, total_ns), at->name ? at->name : "?",
            file ? file : "");
    fprintf(out, at->line > 0 ? ":%u\n" : "\n", at->line);
}

/* The first line: how much CPU time, and in how many ticks. */
static void print_sum(const struct amp_profile *profile, const struct amp_shown *shown, uint64_t cpu_ns, FILE *out)
{
    const double total_ns = (double) profile->total.bytes;

    if (profile->total.allocs > 0)
        fprintf(out, "%s: %.3f s of CPU time in %" PRIu64 " ticks, %.1f %% of what the kernel counted", shown->program,
                total_ns / 1e9, profile->total.allocs, percent(total_ns, (double) cpu_ns));
    else
        fprintf(out, "%s: too short to be sampled: %.3f ms of CPU time with its start, and no tick of %d ms behind it",
                shown->program, (double) cpu_ns / 1e6, AMP_PROFILE_TICK_NS / 1000000);
    if (profile->n_processes != 1)
        fprintf(out, "; %zu processes", profile->n_processes);
    fprintf(out, "%s%s\n", shown->ended ? "; " : "", shown->ended ? shown->ended : "");
}

int amp_show_cpu_table(const struct amp_profile *profile, const struct amp_shown *shown, uint64_t cpu_ns, FILE *out)
{
    const double total_ns = (double) profile->total.bytes;
    struct functions functions = { 0 };
    unsigned n = 0;

    collect(profile, &functions);
    print_sum(profile, shown, cpu_ns, out);
    if (functions.table)
        fprintf(out, "%11s %7s %8s  %-36s %s\n", "own time", "share", "with all", "function", "where most");
    for (const struct function *at = functions.table; at && at->own_ns > 0 && n < TOP; at = at->hh.next, n++)
        print_function(at, total_ns, out);
    if (profile->lost > 0)
        fprintf(out, "without stack: %" PRIu64 " ticks\n", profile->lost);
    amp_show_flags(profile, out);
    if (shown->file)
        fprintf(out, "%s: go tool pprof -top %s\n", shown->file, shown->file);
    give_back(&functions);
    return functions.failed ? -ENOMEM : 0;
}

int amp_show_cpu_json(const struct amp_profile *profile, const struct amp_shown *shown, uint64_t cpu_ns, FILE *out)
{
    json_t *samples = json_array(), *object;
    int err;

    for (size_t i = 0; i < profile->n_samples; i++) {
        const struct amp_sample *sample = &profile->samples[i];
        json_t *stack = json_array();

        for (size_t f = 0; f < sample->n; f++)
            amp_show_frames(stack, sample->stack[f]);
        json_array_append_new(samples, json_pack("{s:I, s:I, s:o}", "samples", (json_int_t) sample->values[0], "cpu_ns",
                                                 (json_int_t) sample->values[1], "stack", stack));
    }
    object = json_pack("{s:s, s:o, s:o, s:s?, s:I, s:I, s:I, s:I, s:o}", "schema", "ampersand/cpu-profile/1", "program",
                       amp_text_json(shown->program), "file", amp_text_json(shown->file), "ended", shown->ended,
                       "processes", (json_int_t) profile->n_processes, "kernel_ns", (json_int_t) cpu_ns, "cpu_ns",
                       (json_int_t) profile->total.bytes, "lost", (json_int_t) profile->lost, "samples", samples);
    err = object && json_dumpf(object, out, JSON_INDENT(2)) == 0 ? 0 : -ENOMEM;
    fputc('\n', out);
    json_decref(object);
    return err;
}
