/* SPDX-License-Identifier: MIT
 *
 * source   "Trace Event Format" of the Catapult project: X a slice, i a moment, C a counter, M the name of a process or
 *          thread; times in microseconds */
#include "harness/timeline/write/events_json.h"

#include "harness/timeline/write/out.h"

#include <string.h>

struct writer {
    struct amp_out out;
    bool has_one;
};

static void begin_event(struct writer *w, const char *type, const char *name)
{
    amp_out_text(&w->out, w->has_one ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    w->has_one = true;
    amp_out_text(&w->out, type);
    amp_out_text(&w->out, "\",\"name\":");
    amp_out_json(&w->out, name);
}

static void put_place(struct writer *w, const struct amp_lane *lane)
{
    amp_out_text(&w->out, ",\"pid\":");
    amp_out_number(&w->out, (uint64_t) lane->pid);
    amp_out_text(&w->out, ",\"tid\":");
    amp_out_number(&w->out, (uint64_t) lane->tid);
}

static void put_time(struct writer *w, uint64_t at_ns)
{
    amp_out_text(&w->out, ",\"ts\":");
    amp_out_us(&w->out, at_ns);
}

static void put_metadata(struct writer *w, const struct amp_lane *lane, const char *what, const char *name)
{
    begin_event(w, "M", what);
    put_place(w, lane);
    amp_out_text(&w->out, ",\"args\":{\"name\":");
    amp_out_json(&w->out, name);
    amp_out_text(&w->out, "}}");
}

static int put_lane(void *context, const struct amp_lane *lane)
{
    const char *program = strrchr(lane->program, '/');

    put_metadata(context, lane, "process_name", program ? program + 1 : lane->program);
    put_metadata(context, lane, "thread_name", lane->name);
    return 0;
}

static int put_slice(void *context, const struct amp_lane *lane, const struct amp_slice *slice)
{
    struct writer *w = context;

    begin_event(w, "X", slice->name);
    put_place(w, lane);
    put_time(w, slice->begin_ns);
    amp_out_text(&w->out, ",\"dur\":");
    amp_out_us(&w->out, slice->ns);
    if (slice->missing & AMP_SLICE_NO_BEGIN)
        amp_out_text(&w->out, ",\"args\":{\"missing\":\"begin\"}");
    else if (slice->missing)
        amp_out_text(&w->out, ",\"args\":{\"missing\":\"end\"}");
    amp_out_text(&w->out, "}");
    return 0;
}

/* The last of an event. */
static void put_value(struct writer *w, const struct amp_moment *moment)
{
    amp_out_text(&w->out, ",\"args\":{\"value\":");
    amp_out_number(&w->out, moment->value);
    if (moment->from) {
        amp_out_text(&w->out, ",\"from\":");
        amp_out_json(&w->out, moment->from);
    }
    amp_out_text(&w->out, "}");
}

static int put_moment(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    struct writer *w = context;

    begin_event(w, "i", moment->name);
    put_place(w, lane);
    put_time(w, moment->at_ns);
    amp_out_text(&w->out, ",\"s\":\"t\"");
    if (moment->value > 0 || moment->from)
        put_value(w, moment);
    amp_out_text(&w->out, "}");
    return 0;
}

static int put_count(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    struct writer *w = context;

    begin_event(w, "C", moment->name);
    put_place(w, lane);
    put_time(w, moment->at_ns);
    put_value(w, moment);
    amp_out_text(&w->out, "}");
    return 0;
}

int amp_events_json_save(struct amp_recording *recording, const char *path, struct amp_lanes_facts *facts)
{
    struct writer w = { .has_one = false };
    const struct amp_lanes_sink sink = { &w, put_lane, NULL, put_slice, put_moment, put_count };
    int err = amp_out_open(&w.out, path);

    if (err)
        return err;
    amp_out_text(&w.out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    err = amp_lanes_make(recording, &sink, facts);
    amp_out_text(&w.out, "\n],\"otherData\":{\"begin_ns\":"); /* by CLOCK_MONOTONIC, where ts is 0 */
    amp_out_number(&w.out, recording->begin_ns);
    amp_out_text(&w.out, ",\"overwritten\":");
    amp_out_number(&w.out, facts->overwritten);
    amp_out_text(&w.out, ",\"lost\":");
    amp_out_number(&w.out, facts->lost);
    amp_out_text(&w.out, "}}\n");
    return amp_out_close(&w.out, err);
}
