/* SPDX-License-Identifier: MIT
 *
 * The data are one JSON object. Each lane has one flat list of numbers, in the order of their times, each time as what
 * was added since the one before:
 *
 *     0, ends, lasts, name, missing      a slice (which holds which follows from the times)
 *     1, at, name, value               a moment
 *     2, at, name, value               a counter */
#include "harness/timeline/write/page.h"

#include "harness/timeline/write/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define MOST 300000        /* events that are all shown */
#define MOST_BEFORE 100000 /* slices before these */

struct name {
    const char *text;
    uint64_t number;
    UT_hash_handle hh;
};

struct filler {
    struct amp_out out;
    struct amp_recording *recording;
    const struct amp_totals *totals;
    const char *title;
    struct name *names;
    uint64_t all_from_ns, long_ns; /* from when on all is shown; how long a slice before must be */
    uint64_t at_ns;                /* the last time that was written, in this lane */
    uint64_t n_before, left_out;
    bool has_lane, has_number;
};

static int number_of(struct filler *f, const char *text, uint64_t *out)
{
    struct name *name;

    HASH_FIND_STR(f->names, text, name);
    if (!name) {
        name = calloc(1, sizeof *name);
        if (!name)
            return -ENOMEM;
        name->text = text;
        name->number = HASH_COUNT(f->names);
        HASH_ADD_KEYPTR(hh, f->names, name->text, strlen(text), name);
    }
    *out = name->number;
    return 0;
}

static void put(struct filler *f, uint64_t number)
{
    if (f->has_number)
        amp_out_text(&f->out, ",");
    f->has_number = true;
    amp_out_number(&f->out, number);
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

    amp_out_text(&f->out, f->has_lane ? "]},\n{\"pid\":" : "\n{\"pid\":");
    amp_out_number(&f->out, (uint64_t) lane->pid);
    amp_out_text(&f->out, ",\"tid\":");
    amp_out_number(&f->out, (uint64_t) lane->tid);
    amp_out_text(&f->out, ",\"program\":");
    amp_out_json(&f->out, lane->program);
    amp_out_text(&f->out, ",\"name\":");
    amp_out_json(&f->out, lane->name);
    amp_out_text(&f->out, ",\"events\":[");
    f->has_lane = true;
    f->has_number = false;
    f->at_ns = 0;
    return 0;
}

static int put_slice(void *context, const struct amp_lane *lane, const struct amp_slice *slice)
{
    struct filler *f = context;
    uint64_t end_ns = slice->begin_ns + slice->ns, name;

    (void) lane;
    if (end_ns < f->all_from_ns) {
        if (slice->ns < f->long_ns || f->n_before == MOST_BEFORE) {
            f->left_out++;
            return 0;
        }
        f->n_before++;
    }
    if (number_of(f, slice->name, &name))
        return -ENOMEM;
    put(f, 0);
    put_time(f, end_ns);
    put(f, slice->ns);
    put(f, name);
    put(f, slice->missing);
    return 0;
}

static int put_at(struct filler *f, unsigned kind, const char *text, uint64_t at_ns, uint64_t value)
{
    uint64_t name;

    if (number_of(f, text, &name))
        return -ENOMEM;
    put(f, kind);
    put_time(f, at_ns);
    put(f, name);
    put(f, value);
    return 0;
}

static int put_moment(void *context, const struct amp_lane *lane, const char *name, uint64_t at_ns, uint64_t value)
{
    struct filler *f = context;

    (void) lane;
    if (at_ns < f->all_from_ns) {
        f->left_out++;
        return 0;
    }
    return put_at(f, 1, name, at_ns, value);
}

/* Of a counter before, a value now and then shows how it went. */
static int put_count(void *context, const struct amp_lane *lane, const char *name, uint64_t at_ns, uint64_t value)
{
    struct filler *f = context;

    (void) lane;
    if (at_ns < f->all_from_ns && at_ns < f->at_ns + f->long_ns) {
        f->left_out++;
        return 0;
    }
    return put_at(f, 2, name, at_ns, value);
}

/* From which part of the time line on there are at most MOST events. */
static void choose(struct filler *f, const struct amp_totals *totals)
{
    uint64_t n = 0, part = AMP_TOTALS_TIMES;

    f->long_ns = totals->facts.ns / AMP_TOTALS_TIMES;
    while (part > 0 && n + totals->ends[part - 1] <= MOST)
        n += totals->ends[--part];
    f->all_from_ns = (uint64_t) ((double) totals->facts.ns * (double) part / AMP_TOTALS_TIMES);
}

static int put_data(struct filler *f)
{
    const struct amp_lanes_sink sink = { f, put_lane, put_slice, put_moment, put_count };
    struct amp_lanes_facts facts;
    struct name *name, *next;
    int err;

    amp_out_text(&f->out, "{\"ns\":");
    amp_out_number(&f->out, f->totals->facts.ns);
    amp_out_text(&f->out, ",\"from_ns\":");
    amp_out_number(&f->out, f->all_from_ns);
    amp_out_text(&f->out, ",\"lanes\":[");
    err = amp_lanes_make(f->recording, &sink, &facts);
    amp_out_text(&f->out, f->has_lane ? "]}\n],\"names\":[" : "],\"names\":[");
    HASH_ITER(hh, f->names, name, next) { /* in the order in which they were added */
        amp_out_text(&f->out, name->number ? "," : "");
        amp_out_json(&f->out, name->text);
        HASH_DEL(f->names, name);
        free(name);
    }
    amp_out_text(&f->out, "],\"left_out\":");
    amp_out_number(&f->out, f->left_out);
    amp_out_text(&f->out, "}");
    return err;
}

static void put_ms(struct filler *f, uint64_t ns)
{
    fprintf(f->out.file, "%.6f", (double) ns / 1e6);
}

static void put_longest(struct filler *f)
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
}

static void put_facts(struct filler *f)
{
    const struct amp_lanes_facts *facts = &f->totals->facts;

    fprintf(f->out.file, "%" PRIu64 " event%s of %zu thread%s in %zu process%s, over %.3f ms.", facts->events,
            facts->events == 1 ? "" : "s", facts->lanes, facts->lanes == 1 ? "" : "s", facts->processes,
            facts->processes == 1 ? "" : "es", (double) facts->ns / 1e6);
    if (facts->overwritten > 0)
        fprintf(f->out.file, " %" PRIu64 " older events were overwritten.", facts->overwritten);
    if (facts->lost > 0)
        fprintf(f->out.file, " %" PRIu64 " events were lost.", facts->lost);
}

static void put_title(struct filler *f)
{
    amp_out_html(&f->out, f->title);
}

static int put_part(struct filler *f, const char *word)
{
    static const struct {
        const char *word;
        void (*put)(struct filler *);
    } parts[] = { { "TITLE", put_title }, { "FACTS", put_facts }, { "LONGEST", put_longest } };

    if (strcmp(word, "DATA") == 0)
        return put_data(f);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(word, parts[i].word) == 0)
            parts[i].put(f);
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

int amp_page_save(struct amp_recording *recording, const struct amp_totals *totals, const char *pattern,
                  const char *title, const char *path)
{
    struct filler f = { .recording = recording, .totals = totals, .title = title };
    FILE *from = fopen(pattern, "re");
    int err = from ? amp_out_open(&f.out, path) : -errno;

    if (!err) {
        choose(&f, totals);
        err = amp_out_close(&f.out, fill(&f, from));
    }
    if (from)
        fclose(from);
    return err;
}
