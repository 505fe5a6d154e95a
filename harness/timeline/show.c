/* SPDX-License-Identifier: MIT */
#include "harness/timeline/show.h"

#include "harness/files/record.h"

#include <inttypes.h>

#define TOP 12 /* names in the table */

static const char *in_units(uint64_t ns, char room[32])
{
    if (ns >= 1000000000u)
        snprintf(room, 32, "%.3g s", (double) ns / 1e9);
    else if (ns >= 1000000u)
        snprintf(room, 32, "%.3g ms", (double) ns / 1e6);
    else if (ns >= 1000u)
        snprintf(room, 32, "%.3g us", (double) ns / 1e3);
    else
        snprintf(room, 32, "%" PRIu64 " ns", ns);
    return room;
}

static void show_facts(const struct amp_lanes_facts *facts, FILE *out)
{
    if (facts->overwritten > 0)
        fprintf(out, "  %" PRIu64 " older events were overwritten: a larger --window keeps more\n", facts->overwritten);
    if (facts->before > 0)
        fprintf(out, "  %" PRIu64 " events came before the window\n", facts->before);
    if (facts->after > 0)
        fprintf(out, "  %" PRIu64 " events came after the window\n", facts->after);
    if (facts->lost > 0)
        fprintf(out, "  %" PRIu64 " events are missing: a signal handler made them while another was written, or there "
                     "was no memory\n", facts->lost);
    if (facts->no_begin > 0)
        fprintf(out, "  %" PRIu64 " slices began before what is kept\n", facts->no_begin);
    if (facts->no_end > 0)
        fprintf(out, "  %" PRIu64 " slices have no end: they last as long as what is around them, or their thread\n",
                facts->no_end);
    if (facts->stray > 0)
        fprintf(out, "  %" PRIu64 " ends are left out: nothing of their name had begun\n", facts->stray);
    if (facts->damaged > 0)
        fprintf(out, "  %" PRIu64 " events make no sense and are left out\n", facts->damaged);
}

void amp_timeline_show_table(const struct amp_totals *totals, const char *title, FILE *out)
{
    const struct amp_lanes_facts *facts = &totals->facts;
    char total[32], longest[32];

    fprintf(out, "%s: %" PRIu64 " event%s of %zu thread%s in %zu process%s, over %s\n", title, facts->events,
            facts->events == 1 ? "" : "s", facts->lanes, facts->lanes == 1 ? "" : "s", facts->processes,
            facts->processes == 1 ? "" : "es", in_units(facts->ns, total));
    show_facts(facts, out);
    if (totals->n > 0)
        fprintf(out, "  %12s %12s %12s  %s\n", "times", "in all", "longest", "what");
    for (size_t i = 0; i < totals->n && i < TOP; i++) {
        const struct amp_total *one = &totals->list[i];

        fprintf(out, "  %12" PRIu64 " %12s %12s  %s\n", one->n, one->is_slice ? in_units(one->ns, total) : "-",
                one->is_slice ? in_units(one->longest_ns, longest) : "-", one->name);
    }
    if (totals->n > TOP)
        fprintf(out, "  %zu more names\n", totals->n - TOP);
}

#define TOTAL(member, ...) AMP_FIELD(struct amp_total, member, __VA_ARGS__)
static const struct amp_record total_record = {
    AMP_FIELDS(TOTAL(name, .is_foreign = true), TOTAL(is_slice), TOTAL(n), TOTAL(ns), TOTAL(longest_ns))
};

struct shown {
    const char *program;
    const struct amp_totals *totals;
};

#define FACT(member) AMP_FIELD(struct amp_lanes_facts, member)
static const struct amp_record facts_record = {
    AMP_FIELDS(FACT(ns), FACT(events), FACT(processes), AMP_FIELD_AS("threads", struct amp_lanes_facts, lanes),
               FACT(overwritten), FACT(before), FACT(after), FACT(lost), FACT(no_begin), FACT(no_end), FACT(stray),
               FACT(damaged))
};

static const struct amp_record shown_record = {
    AMP_FIELDS(AMP_FIELD(struct shown, program, .is_foreign = true),
               AMP_BEHIND("", struct shown, totals,
                          AMP_OF(AMP_INNER("", struct amp_totals, facts, &facts_record),
                                 AMP_OBJECTS("names", struct amp_totals, list, n, &total_record)))),
    .schema = "ampersand/timeline/1",
};

int amp_timeline_show_json(const struct amp_totals *totals, const char *title, FILE *out)
{
    return amp_record_print(&shown_record, &(struct shown){ title, totals }, out);
}
