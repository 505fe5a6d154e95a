/* SPDX-License-Identifier: MIT
 *
 * Which events there are is one list of numbers (out.h). Each event begins with its kind, plus what else is known of
 * it; each time is what was added since the event before:
 *
 *     0 + 4 missing + 16 depth, ends, lasts, name     a slice
 *     1, at, name, value                              a moment
 *     2, at, name, value                              a counter
 *     3                                               the next lane begins
 *
 * What stands for what is one JSON object behind it: lanes in their order, names by number. */
#include "harness/timeline/write/page.h"

#include "harness/timeline/write/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define BEFORE 3 /* slices before the events that are all there: no more than one for each three of these */
enum { A_SLICE, A_MOMENT, A_COUNT, A_LANE };

struct name {
    const char *text, *from; /* of an event, and where it was called */
    uint64_t number;
    UT_hash_handle hh;
    char key[];
};

struct filler {
    struct amp_out out;
    struct amp_packed packed;
    struct amp_recording *recording;
    const struct amp_totals *totals;
    const char *title;
    struct name *names;
    struct amp_lane *lanes;
    size_t n_lanes;
    uint64_t most;                 /* events that are all there */
    uint64_t all_from_ns, long_ns; /* from when on all is there; how long a slice before must be */
    uint64_t at_ns;                /* the last time that was written, in this lane */
    uint64_t n_before, left_out;
};

static int number_of(struct filler *f, const char *text, const char *from, uint64_t *out)
{
    size_t n = strlen(text), n_from = from ? strlen(from) : 0;
    char key[8192]; /* a name has AMP_RING_NAME_B at most */
    struct name *name;

    if (n + n_from + 2 > sizeof key)
        return number_of(f, text, NULL, out);
    memcpy(key, text, n + 1);
    memcpy(key + n + 1, from ? from : "", n_from + 1);
    HASH_FIND(hh, f->names, key, n + 1 + n_from, name);
    if (!name) {
        name = calloc(1, sizeof *name + n + 1 + n_from);
        if (!name)
            return -ENOMEM;
        memcpy(name->key, key, n + 1 + n_from);
        name->text = text;
        name->from = from;
        name->number = HASH_COUNT(f->names);
        HASH_ADD_KEYPTR(hh, f->names, name->key, n + 1 + n_from, name);
    }
    *out = name->number;
    return 0;
}

static void put(struct filler *f, uint64_t number)
{
    amp_packed_number(&f->packed, number);
}

static void put_time(struct filler *f, uint64_t at_ns)
{
    at_ns = at_ns > f->at_ns ? at_ns : f->at_ns;
    put(f, at_ns - f->at_ns);
    f->at_ns = at_ns;
}

static int put_lane(void *context, const struct amp_lane *lane)
{
    struct filler *f = context;
    struct amp_lane *more = realloc(f->lanes, (f->n_lanes + 1) * sizeof *more);

    if (!more)
        return -ENOMEM;
    f->lanes = more;
    f->lanes[f->n_lanes++] = *lane;
    f->at_ns = 0;
    put(f, A_LANE);
    return 0;
}

static int put_slice(void *context, const struct amp_lane *lane, const struct amp_slice *slice)
{
    struct filler *f = context;
    uint64_t end_ns = slice->begin_ns + slice->ns, name;

    (void) lane;
    if (end_ns < f->all_from_ns) {
        if (slice->ns < f->long_ns || f->n_before * BEFORE >= f->most) {
            f->left_out++;
            return 0;
        }
        f->n_before++;
    }
    if (number_of(f, slice->name, NULL, &name))
        return -ENOMEM;
    put(f, A_SLICE + 4 * slice->missing + 16 * (uint64_t) slice->depth);
    put_time(f, end_ns);
    put(f, slice->ns);
    put(f, name);
    return 0;
}

static int put_at(struct filler *f, unsigned kind, const struct amp_moment *moment)
{
    uint64_t name;

    if (number_of(f, moment->name, moment->from, &name))
        return -ENOMEM;
    put(f, kind);
    put_time(f, moment->at_ns);
    put(f, name);
    put(f, moment->value);
    return 0;
}

static int put_moment(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    struct filler *f = context;

    (void) lane;
    if (moment->at_ns < f->all_from_ns) {
        f->left_out++;
        return 0;
    }
    return put_at(f, A_MOMENT, moment);
}

/* Of a counter before, a value now and then shows how it went. */
static int put_count(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    struct filler *f = context;

    (void) lane;
    if (moment->at_ns < f->all_from_ns && moment->at_ns < f->at_ns + f->long_ns) {
        f->left_out++;
        return 0;
    }
    return put_at(f, A_COUNT, moment);
}

/* From which part of the time line on there are at most that many events. */
static void choose(struct filler *f, const struct amp_totals *totals)
{
    uint64_t n = 0, part = AMP_TOTALS_TIMES;

    f->long_ns = totals->facts.ns / AMP_TOTALS_TIMES;
    while (part > 0 && n + totals->ends[part - 1] <= f->most)
        n += totals->ends[--part];
    f->all_from_ns = (uint64_t) ((double) totals->facts.ns * (double) part / AMP_TOTALS_TIMES);
}

static int put_events(struct filler *f)
{
    const struct amp_lanes_sink sink = { f, put_lane, NULL, put_slice, put_moment, put_count };
    struct amp_lanes_facts facts;
    int err = amp_packed_begin(&f->packed, &f->out), failed;

    if (err)
        return err;
    err = amp_lanes_make(f->recording, &sink, &facts);
    failed = amp_packed_end(&f->packed);
    return err ? err : failed;
}

static void put_key(struct filler *f, const char *key, uint64_t number)
{
    amp_out_json(&f->out, key);
    amp_out_text(&f->out, ":");
    amp_out_number(&f->out, number);
    amp_out_text(&f->out, ",");
}

static int put_data(struct filler *f)
{
    amp_out_text(&f->out, "{");
    put_key(f, "ns", f->totals->facts.ns);
    put_key(f, "from_ns", f->all_from_ns);
    put_key(f, "events", f->totals->facts.events);
    put_key(f, "left_out", f->left_out);
    amp_out_text(&f->out, "\"lanes\":[");
    for (size_t i = 0; i < f->n_lanes; i++) {
        amp_out_text(&f->out, i > 0 ? ",\n{" : "\n{");
        put_key(f, "pid", (uint64_t) f->lanes[i].pid);
        put_key(f, "tid", (uint64_t) f->lanes[i].tid);
        amp_out_text(&f->out, "\"program\":");
        amp_out_json(&f->out, f->lanes[i].program);
        amp_out_text(&f->out, ",\"name\":");
        amp_out_json(&f->out, f->lanes[i].name);
        amp_out_text(&f->out, "}");
    }
    amp_out_text(&f->out, "\n],\"names\":[");
    for (struct name *name = f->names; name; name = name->hh.next) { /* in the order in which they were added */
        amp_out_text(&f->out, name->number ? "," : "");
        amp_out_json(&f->out, name->text);
    }
    amp_out_text(&f->out, "],\"from\":{");
    for (struct name *name = f->names, *last = NULL; name; name = name->hh.next) {
        if (!name->from)
            continue;
        fprintf(f->out.file, "%s\n\"%" PRIu64 "\":", last ? "," : "", name->number);
        amp_out_json(&f->out, name->from);
        last = name;
    }
    amp_out_text(&f->out, "}}");
    return 0;
}

static void put_ms(struct filler *f, uint64_t ns)
{
    fprintf(f->out.file, "%.6f", (double) ns / 1e6);
}

static int put_longest(struct filler *f)
{
    for (size_t i = 0; i < f->totals->n_longest; i++) {
        const struct amp_longest *one = &f->totals->longest[i];
        const char *program = strrchr(one->lane.program, '/');

        amp_out_text(&f->out, "<tr><td class=\"words\">");
        amp_out_html(&f->out, one->slice.name);
        amp_out_text(&f->out, one->slice.missing & AMP_SLICE_NO_BEGIN ? " (its begin is missing)"
                              : one->slice.missing                    ? " (its end is missing)"
                                                                      : "");
        amp_out_text(&f->out, "</td><td>");
        put_ms(f, one->slice.ns);
        amp_out_text(&f->out, "</td><td>");
        put_ms(f, one->slice.begin_ns);
        amp_out_text(&f->out, "</td><td class=\"words\">");
        amp_out_html(&f->out, program ? program + 1 : one->lane.program);
        fprintf(f->out.file, " %d</td><td class=\"words\">", (int) one->lane.pid);
        amp_out_html(&f->out, one->lane.name);
        fprintf(f->out.file, " %d</td></tr>\n", (int) one->lane.tid);
    }
    return 0;
}

static int put_facts(struct filler *f)
{
    const struct amp_lanes_facts *facts = &f->totals->facts;

    fprintf(f->out.file, "%" PRIu64 " event%s of %zu thread%s in %zu process%s, over %.3f ms.", facts->events,
            facts->events == 1 ? "" : "s", facts->lanes, facts->lanes == 1 ? "" : "s", facts->processes,
            facts->processes == 1 ? "" : "es", (double) facts->ns / 1e6);
    if (facts->overwritten > 0)
        fprintf(f->out.file, " %" PRIu64 " older events were overwritten.", facts->overwritten);
    if (facts->lost > 0)
        fprintf(f->out.file, " %" PRIu64 " events were lost.", facts->lost);
    return 0;
}

static int put_title(struct filler *f)
{
    amp_out_html(&f->out, f->title);
    return 0;
}

static int put_part(struct filler *f, const char *word)
{
    static const struct {
        const char *word;
        int (*put)(struct filler *);
    } parts[] = { { "TITLE", put_title }, { "FACTS", put_facts }, { "LONGEST", put_longest },
                  { "EVENTS", put_events }, { "DATA", put_data } };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(word, parts[i].word) == 0)
            return parts[i].put(f);
    return 0;
}

/* The page, line by line: @WORD@ alone on a line stands for what comes there. */
static int fill(struct filler *f, FILE *pattern)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int err = 0;

    while (!err && (n = getline(&line, &cap, pattern)) > 0) {
        if (n > 3 && line[0] == '@' && line[n - 2] == '@') {
            line[n - 2] = '\0';
            err = put_part(f, line + 1);
        } else {
            fwrite(line, 1, (size_t) n, f->out.file);
        }
    }
    free(line);
    return err;
}

int amp_page_save(struct amp_recording *recording, const struct amp_totals *totals, uint64_t most, const char *pattern,
                  const char *title, const char *path)
{
    struct filler f = { .recording = recording, .totals = totals, .title = title, .most = most };
    FILE *from = fopen(pattern, "re");
    int err = from ? amp_out_open(&f.out, path) : -errno;
    struct name *name, *next;

    if (!err) {
        choose(&f, totals);
        err = amp_out_close(&f.out, fill(&f, from));
    }
    if (from)
        fclose(from);
    HASH_ITER(hh, f.names, name, next) {
        HASH_DEL(f.names, name);
        free(name);
    }
    free(f.lanes);
    return err;
}
