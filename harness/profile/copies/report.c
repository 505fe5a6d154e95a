/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/report.h"

#include "harness/profile/samples/store.h"
#include "harness/text/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#define TOP 20          /* places in the table */
#define SMALL "16 B"      /* gcc/list.cc and plugin/plugin.c leave out what is not larger */
#define MATTERS_PERCENT 1 /* of the time; below, copies are not what makes the program slow */

/* "16.2 GB", "229 M": three digits. */
static const char *amount(uint64_t n, const char *unit, char out[static 24])
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
    double value = (double) n;
    unsigned k = 0;

    for (; value >= 999.5 && k < 6; k++)
        value /= 1000;
    snprintf(out, 24, k == 0 || value >= 99.95 ? "%.0f %s%s" : value >= 9.995 ? "%.1f %s%s" : "%.2f %s%s", value,
             prefixes[k], unit);
    if (k == 0 && !*unit)
        out[strlen(out) - 1] = '\0';
    return out;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100 * (double) part / (double) whole : 0;
}

static void sum(const struct amp_copy_places *places, uint64_t *bytes, uint64_t *copies, uint64_t *source_b)
{
    *bytes = *copies = *source_b = 0;
    for (size_t i = 0; i < places->n; i++) {
        *bytes += places->places[i].bytes;
        *copies += places->places[i].copies;
        *source_b += places->places[i].source_b;
    }
}

static void print_source(uint64_t bytes, uint64_t source_b, FILE *out)
{
    char text[24];

    fprintf(out, "; the source asks for %s, the compiler ", amount(source_b, "B", text));
    if (source_b > bytes)
        fprintf(out, "removed %.0f %%", percent(source_b - bytes, source_b));
    else
        fprintf(out, "added %.0f %%", percent(bytes - source_b, source_b));
}

/* Of gcc, which marks no instruction: what its source has, and its code. */
static void print_listed(const struct amp_copy_places *places, FILE *out)
{
    uint64_t asked = 0, left = 0;

    for (size_t i = 0; i < places->n; i++) {
        asked += places->places[i].asked;
        left += places->places[i].left;
    }
    fprintf(out, "gcc: %" PRIu64 " copies of structs above " SMALL " in the source, %" PRIu64
                 " in the code; time by line and column\n", asked, left);
}

static void print_head(const struct amp_copy_places *places, const struct amp_copies_shown *shown, FILE *out)
{
    uint64_t bytes, copies, source_b;
    double share = percent(places->in_copies, places->samples);
    char bytes_text[24], copies_text[24];

    sum(places, &bytes, &copies, &source_b);
    fprintf(out, "%s: ", shown->program);
    if (places->is_counted)
        fprintf(out, "%s in %s copies", amount(bytes, "B", bytes_text), amount(copies, "", copies_text));
    if (places->is_counted && places->has_source && source_b > 0)
        print_source(bytes, source_b, out);
    if (places->is_counted && places->samples > 0)
        fputs("; ", out);
    if (places->n == 0 && !places->is_counted && !places->is_listed)
        fputs("no copies are named", out);
    else if (places->samples > 0 && places->in_copies == 0 && shown->lacks_lines)
        fputs("how much of the time is not known: its debug information was removed", out);
    else if (places->samples > 0)
        fprintf(out, "%.*f %% of the time%s%s", share < 9.95, share, places->is_counted ? "" : " in copies of structs",
                share < MATTERS_PERCENT ? ": look elsewhere" : "");
    else if (!places->is_counted)
        fputs("too short to be sampled", out);
    fprintf(out, "%s%s\n", shown->ended ? "; " : "", shown->ended ? shown->ended : "");
}

static void print_place(const struct amp_copy_place *place, const struct amp_copy_places *places, FILE *out)
{
    char bytes[24] = "-", copies[24] = "-", where[PATH_MAX + 16];

    if (places->is_counted) {
        amount(place->bytes, "B", bytes);
        amount(place->copies, "", copies);
    }
    snprintf(where, sizeof where, "%s:%u", amp_store_file_name(place->file), place->line);
    fprintf(out, "%9s %9s %5.1f %%  %-24s %7" PRIu64 " B  %-11s %-24s %s\n", bytes, copies,
            percent(place->samples, places->samples), place->type, place->size_b, place->kind, where, place->function);
}

/* Whether a place has anything to show: the compiler may have removed all its copies. */
static bool is_seen(const struct amp_copy_place *place)
{
    return place->bytes > 0 || place->samples > 0;
}

void amp_copies_table(const struct amp_copy_places *places, const struct amp_copies_shown *shown, FILE *out)
{
    size_t n = 0;

    while (n < places->n && is_seen(&places->places[n])) /* they are sorted */
        n++;
    print_head(places, shown, out);
    if (places->is_listed)
        print_listed(places, out);
    if (n > 0)
        fprintf(out, "%9s %9s %7s  %-24s %9s  %-11s %-24s %s\n", "bytes", "copies", "time", "type", "size", "kind",
                "place", "caller");
    for (size_t i = 0; i < n && i < TOP; i++)
        print_place(&places->places[i], places, out);
    if (n > TOP)
        fprintf(out, "and %zu more places\n", n - TOP);
    if (!places->is_counted && places->is_listed)
        fputs("bytes and copies: compile with clang, by `ampersand cc --count`\n", out);
    else if (!places->is_counted)
        fputs("bytes and copies: compile with `ampersand cc --count`\n", out);
    else if (!places->has_source)
        fputs("what the source asks for: compile with `ampersand cc --count=source`\n", out);
    if (n > 0)
        fputs("structs of up to " SMALL " are copied in registers, by a move or two: they are not listed\n", out);
    if (shown->file)
        fprintf(out, "%s: go tool pprof -sample_index=%s -top %s\n", shown->file,
                places->is_counted ? "bytes" : "samples", shown->file);
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t) n);
}

static json_t *place_to_json(const struct amp_copy_place *place, bool is_listed)
{
    json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type", amp_text_json(place->type),
                               "size_b", count(place->size_b), "kind", amp_text_json(place->kind), "file",
                               amp_text_json(place->file), "line", count(place->line), "caller",
                               amp_text_json(place->function), "bytes", count(place->bytes), "copies",
                               count(place->copies), "source_b", count(place->source_b), "samples",
                               count(place->samples));

    if (object && is_listed) {
        json_object_set_new(object, "asked", count(place->asked));
        json_object_set_new(object, "left", count(place->left));
    }
    return object;
}

int amp_copies_json(const struct amp_copy_places *places, const struct amp_copies_shown *shown, FILE *out)
{
    json_t *list = json_array(), *object;
    uint64_t bytes, copies, source_b;
    int err;

    sum(places, &bytes, &copies, &source_b);
    for (size_t i = 0; i < places->n; i++)
        json_array_append_new(list, place_to_json(&places->places[i], places->is_listed));
    object = json_pack("{s:s, s:o, s:o, s:s?, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "ampersand/copies/1",
                       "program", amp_text_json(shown->program), "file", amp_text_json(shown->file), "ended",
                       shown->ended, "counted", places->is_counted, "source", places->has_source, "bytes", count(bytes), "copies", count(copies),
                       "source_b", count(source_b), "samples", count(places->samples), "samples_in_copies",
                       count(places->in_copies), "places", list);
    err = object && json_dumpf(object, out, JSON_INDENT(2)) == 0 ? 0 : -ENOMEM;
    fputc('\n', out);
    json_decref(object);
    return err;
}
