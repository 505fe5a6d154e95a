/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/report.h"

#include "harness/files/record.h"
#include "harness/profile/samples/store.h"

#include <inttypes.h>
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

#define PLACE(member, ...) AMP_FIELD(struct amp_copy_place, member, __VA_ARGS__)
static const struct amp_record place_record = {
    AMP_FIELDS(PLACE(type, .is_foreign = true), PLACE(size_b), PLACE(kind, .is_foreign = true),
               PLACE(file, .is_foreign = true), PLACE(line),
               AMP_FIELD_AS("caller", struct amp_copy_place, function, .is_foreign = true), PLACE(bytes), PLACE(copies),
               PLACE(source_b), PLACE(samples))
};
static const struct amp_record listed_record = {
    AMP_FIELDS(AMP_GROUP("", &place_record), PLACE(asked), PLACE(left))
};

struct copied {
    const struct amp_copies_shown *shown;
    const struct amp_copy_places *all;
    uint64_t bytes, copies, source_b;
    json_t *places;
};

#define COPIED(member) AMP_FIELD(struct copied, member)
#define SHOWN(member, ...) AMP_FIELD(struct amp_copies_shown, member, .is_foreign = true, __VA_ARGS__)
#define ALL(key, member) AMP_FIELD_AS(key, struct amp_copy_places, member)
static const struct amp_record copied_record = {
    AMP_FIELDS(AMP_BEHIND("", struct copied, shown, AMP_OF(SHOWN(program), SHOWN(file, .is_nullable = true),
                                                           SHOWN(ended, .is_nullable = true))),
               AMP_BEHIND("", struct copied, all, AMP_OF(ALL("counted", is_counted), ALL("source", has_source))),
               COPIED(bytes), COPIED(copies), COPIED(source_b),
               AMP_BEHIND("", struct copied, all, AMP_OF(ALL("samples", samples), ALL("samples_in_copies", in_copies))),
               COPIED(places)),
    .schema = "ampersand/copies/1",
};

int amp_copies_json(const struct amp_copy_places *places, const struct amp_copies_shown *shown, FILE *out)
{
    struct copied copied = { .shown = shown, .all = places, .places = json_array() };

    sum(places, &copied.bytes, &copied.copies, &copied.source_b);
    for (size_t i = 0; i < places->n; i++)
        json_array_append_new(copied.places, amp_record_write(places->is_listed ? &listed_record : &place_record,
                                                              &places->places[i]));
    return amp_record_print(&copied_record, &copied, out);
}
