/* SPDX-License-Identifier: MIT */
#include "harness/profile/show.h"

#include "harness/profile/samples/store.h"
#include "harness/profile/samples/symbols.h"
#include "harness/text/quantity.h"
#include "harness/text/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOP 8 /* places in the table */
#define SIZES 65

/* A place that allocates: a line outside the C and C++ libraries. */
struct place {
    const struct amp_location *location;
    const struct amp_line *line; /* NULL: no name */
    struct amp_profile_counts counts;
};

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

size_t amp_show_allocating(const struct amp_sample *sample)
{
    for (size_t i = 0; i < sample->n; i++)
        if (!sample->stack[i]->mapping || !sample->stack[i]->mapping->is_library_of_c)
            return i;
    return 0;
}

size_t amp_show_first_line(const struct amp_location *location)
{
    size_t i = 0;

    while (i < location->n_lines && compare_texts(location->lines[i].function, "amp_alloc") == 0)
        i++;
    return i;
}

/* NULL: no name. */
static const struct amp_line *line_of(const struct amp_location *location)
{
    const size_t i = location ? amp_show_first_line(location) : 0;

    return location && i < location->n_lines ? &location->lines[i] : NULL;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    int order;

    if (!p->line != !q->line)
        return p->line ? -1 : 1;
    if (!p->line) {
        uint64_t x = p->location ? p->location->address : 0, y = q->location ? q->location->address : 0;

        return (x > y) - (x < y);
    }
    order = compare_texts(p->line->file, q->line->file);
    if (!order)
        order = (p->line->line > q->line->line) - (p->line->line < q->line->line);
    return order ? order : compare_texts(p->line->function, q->line->function);
}

static int compare_bytes(const void *a, const void *b)
{
    const struct place *p = a, *q = b;

    if (p->counts.bytes != q->counts.bytes)
        return p->counts.bytes > q->counts.bytes ? -1 : 1;
    return (p->counts.allocs < q->counts.allocs) - (p->counts.allocs > q->counts.allocs);
}

static void add_counts(struct amp_profile_counts *to, const struct amp_profile_counts *from)
{
    to->allocs += from->allocs;
    to->bytes += from->bytes;
    to->frees += from->frees;
    to->freed_b += from->freed_b;
    to->died_in_frame += from->died_in_frame;
    to->died_in_caller += from->died_in_caller;
}

/* The places of a profile, those with most bytes first. The caller frees them; NULL: no memory. */
static struct place *places_of(const struct amp_profile *profile, size_t *n)
{
    struct place *places = calloc(profile->n_samples + 1, sizeof *places);
    size_t kept = 0;

    if (!places)
        return NULL;
    for (size_t i = 0; i < profile->n_samples; i++) {
        const struct amp_sample *sample = &profile->samples[i];
        const struct amp_location *location = sample->n > 0 ? sample->stack[amp_show_allocating(sample)] : NULL;

        places[i].location = location;
        places[i].line = line_of(location);
        places[i].counts = sample->counts;
    }
    qsort(places, profile->n_samples, sizeof *places, compare_places);
    for (size_t i = 0; i < profile->n_samples; i++) {
        if (kept > 0 && compare_places(&places[kept - 1], &places[i]) == 0)
            add_counts(&places[kept - 1].counts, &places[i].counts);
        else
            places[kept++] = places[i];
    }
    qsort(places, kept, sizeof *places, compare_bytes);
    *n = kept;
    return places;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100 * (double) part / (double) whole : 0;
}

/* "file.c:12", or the library and the address in it. */
static void print_where(const struct place *place, char *out, size_t cap)
{
    const struct amp_location *location = place->location;

    if (place->line && place->line->file)
        snprintf(out, cap, "%s:%u", amp_store_file_name(place->line->file), place->line->line);
    else if (location && location->mapping)
        snprintf(out, cap, "%s+0x%" PRIx64, amp_store_file_name(location->mapping->path),
                 location->address - location->mapping->bias);
    else
        snprintf(out, cap, "0x%" PRIx64, location ? location->address : 0);
}

static void print_place(const struct place *place, const struct amp_profile *profile, FILE *out)
{
    const struct amp_profile_counts *c = &place->counts;
    char bytes[16], in_use[16], where[PATH_MAX];

    print_where(place, where, sizeof where);
    fprintf(out, "%10s %5.1f %% %12" PRIu64 " %10s  %-30.60s %s\n", amp_quantity_size(c->bytes, bytes),
            percent(c->bytes, profile->total.bytes), c->allocs, amp_quantity_size(c->bytes - c->freed_b, in_use),
            place->line && place->line->function ? place->line->function : "?", where);
}

/* The three powers of two in which most bytes were asked for. */
static void print_sizes(const struct amp_profile *profile, FILE *out)
{
    uint64_t n[SIZES] = { 0 };
    char from[16], to[16];

    for (size_t i = 0; i < profile->n_samples; i++)
        n[profile->samples[i].bucket % SIZES] += profile->samples[i].counts.allocs;
    fputs("sizes, by allocations:", out);
    for (int shown = 0; shown < 3; shown++) {
        unsigned most = 0;

        for (unsigned i = 1; i < SIZES; i++)
            most = n[i] > n[most] ? i : most;
        if (n[most] == 0)
            break;
        fprintf(out, "%s %s to %s %.0f %%", shown > 0 ? "," : "",
                amp_quantity_size(most > 0 ? (uint64_t) 1 << (most - 1) : 0, from),
                amp_quantity_size(most > 0 ? ((uint64_t) 2 << (most - 1)) - 1 : 0, to),
                percent(n[most], profile->total.allocs));
        n[most] = 0;
    }
    fputc('\n', out);
}

static void print_lives(const struct amp_profile_counts *total, FILE *out)
{
    fprintf(out, "freed in the function that allocated %.0f %%, in its caller %.0f %%, later %.0f %%, never %.0f %%\n",
            percent(total->died_in_frame, total->allocs), percent(total->died_in_caller, total->allocs),
            percent(total->frees - total->died_in_frame - total->died_in_caller, total->allocs),
            percent(total->allocs - total->frees, total->allocs));
}

void amp_show_flags(const struct amp_profile *profile, FILE *out)
{
    size_t named = 0;

    for (size_t i = 0; i < profile->n_mappings; i++)
        named += profile->mappings[i]->has_lines && !profile->mappings[i]->is_library_of_c;
    if (named == 0 && profile->n_samples > 0 && amp_symbols_are_read())
        fprintf(out, "no debug information: compile with -g, or install the debug symbols, to see files and lines\n");
}

/* How far sums may be off. Of an allocation of s bytes the variance is s^2 (1 - p) / p, which is at most s R. */
static void print_sampling(const struct amp_profile *profile, FILE *out)
{
    const double bytes = (double) profile->total.bytes;
    char distance[16];

    if (profile->sample_b == 0)
        return;
    fprintf(out, "sampled: %" PRIu64 " allocations, one in each %s on average; all counts are estimates", profile->sampled,
            amp_quantity_size(profile->sample_b, distance));
    if (bytes > 0)
        fprintf(out, ", the bytes of all with a standard error of at most %.2g %%",
                100 * sqrt((double) profile->sample_b / bytes));
    fputc('\n', out);
}

/* What the numbers do not hold, a line each. */
static void print_gaps(const struct amp_profile *profile, FILE *out)
{
    size_t n[4] = { 0 };

    for (size_t i = 0; i < profile->n_samples; i++)
        n[profile->samples[i].ending & 3]++;
    if (n[AMP_STACK_GUESSED] + n[AMP_STACK_CUT] + n[AMP_STACK_BROKEN] > 0)
        fprintf(out, "stacks: %zu of %zu go through code without unwind tables, %zu are cut at %d frames, %zu end early\n",
                n[AMP_STACK_GUESSED], profile->n_samples, n[AMP_STACK_CUT], AMP_STACK_FRAMES, n[AMP_STACK_BROKEN]);
    if (profile->unrecorded + profile->untracked + profile->lost > 0)
        fprintf(out, "not seen: %" PRIu64 " allocations by signal handlers, the end of %" PRIu64 "; without stack: %" PRIu64
                "\n", profile->unrecorded, profile->untracked, profile->lost);
    if (profile->n_processes == 0)
        fprintf(out, "nothing was recorded: it allocates nothing, or could not write its counts, under a user, root folder or "
                     "limit of its own\n");
    if (profile->failed > 0)
        fprintf(out, "%" PRIu64 " calls got no memory\n", profile->failed);
    amp_show_flags(profile, out);
}

int amp_show_table(const struct amp_profile *profile, const struct amp_shown *shown, FILE *out)
{
    const struct amp_profile_counts *total = &profile->total;
    char bytes[16], in_use[16];
    size_t n;
    struct place *places = places_of(profile, &n);

    if (!places)
        return -ENOMEM;
    fprintf(out, "%s: %s (%" PRIu64 " B) in %" PRIu64 " allocations; %s in %" PRIu64 " not freed", shown->program,
            amp_quantity_size(total->bytes, bytes), total->bytes, total->allocs,
            amp_quantity_size(total->bytes - total->freed_b, in_use), total->allocs - total->frees);
    if (profile->n_processes != 1)
        fprintf(out, "; %zu processes", profile->n_processes);
    fprintf(out, "%s%s\n", shown->ended ? "; " : "", shown->ended ? shown->ended : "");
    print_sampling(profile, out);
    if (total->allocs > 0) {
        fprintf(out, "%10s %7s %12s %10s  %-30s %s\n", "bytes", "share", "allocations", "not freed", "function", "where");
        for (size_t i = 0; i < n && i < TOP; i++)
            print_place(&places[i], profile, out);
        if (n > TOP)
            fprintf(out, "and %zu more places\n", n - TOP);
        print_sizes(profile, out);
        print_lives(total, out);
    }
    print_gaps(profile, out);
    if (shown->file)
        fprintf(out, "%s: go tool pprof -sample_index=alloc_space -top %s\n", shown->file, shown->file);
    free(places);
    return 0;
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t) n);
}

static json_t *counts_to_json(const struct amp_profile_counts *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "allocs", count(c->allocs), "bytes", count(c->bytes), "frees",
                     count(c->frees), "freed_b", count(c->freed_b), "died_in_frame", count(c->died_in_frame),
                     "died_in_caller", count(c->died_in_caller));
}

void amp_show_frames(json_t *stack, const struct amp_location *location)
{
    const struct amp_mapping *mapping = location->mapping;
    static const struct amp_line nameless;

    for (size_t i = 0; i == 0 || i < location->n_lines; i++) {
        const struct amp_line *line = i < location->n_lines ? &location->lines[i] : &nameless;

        json_array_append_new(stack, json_pack("{s:o, s:o, s:o, s:b, s:o, s:o}", "function",
                                               amp_text_json(line->function), "file", amp_text_json(line->file), "line",
                                               count(line->line), "inlined", i + 1 < location->n_lines, "module",
                                               amp_text_json(mapping ? mapping->path : NULL), "address", count(location->address - (mapping ? mapping->bias : 0))));
    }
}

static json_t *sample_to_json(const struct amp_sample *sample)
{
    static const char *const endings[] = { "whole", "guessed", "cut", "broken" };
    json_t *object = counts_to_json(&sample->counts), *stack = json_array();

    for (size_t i = 0; i < sample->n; i++)
        amp_show_frames(stack, sample->stack[i]);
    json_object_set_new(object, "least_b", count(sample->bucket > 0 ? (uint64_t) 1 << (sample->bucket - 1) : 0));
    json_object_set_new(object, "ending", json_string(endings[sample->ending & 3]));
    json_object_set_new(object, "stack", stack);
    return object;
}

int amp_show_json(const struct amp_profile *profile, const struct amp_shown *shown, FILE *out)
{
    json_t *samples = json_array(), *object;
    int err;

    for (size_t i = 0; i < profile->n_samples; i++)
        json_array_append_new(samples, sample_to_json(&profile->samples[i]));
    object = json_pack("{s:s, s:o, s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "ampersand/profile/1",
                       "program", amp_text_json(shown->program), "file", amp_text_json(shown->file), "ended",
                       shown->ended, "processes",
                       count(profile->n_processes), "total", counts_to_json(&profile->total), "lost",
                       count(profile->lost), "unrecorded", count(profile->unrecorded), "untracked",
                       count(profile->untracked), "failed", count(profile->failed), "samples", samples);
    if (profile->sample_b) {
        json_object_set_new(object, "sample_b", count(profile->sample_b));
        json_object_set_new(object, "sampled", count(profile->sampled));
    }
    err = object && json_dumpf(object, out, JSON_INDENT(2)) == 0 ? 0 : -ENOMEM;
    fputc('\n', out);
    json_decref(object);
    return err;
}
