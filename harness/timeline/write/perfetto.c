/* SPDX-License-Identifier: MIT
 *
 * A lane is a packet sequence: it has a clock that counts from one packet to the next, a track that its events are on
 * unless they say another, and numbers for the names that it uses.
 *
 * source   github.com/google/perfetto, protos/perfetto/trace: trace_packet.proto, clock_snapshot.proto,
 *          trace_packet_defaults.proto, interned_data/interned_data.proto, track_event/ */
#include "harness/timeline/write/perfetto.h"

#include "harness/files/protobuf.h"
#include "harness/timeline/write/out.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Numbers of the fields, by message. */
enum { TRACE_PACKET = 1 };
enum { PACKET_CLOCK_SNAPSHOT = 6, PACKET_TIMESTAMP = 8, PACKET_SEQUENCE = 10, PACKET_EVENT, PACKET_INTERNED,
       PACKET_FLAGS, PACKET_DEFAULTS = 59, PACKET_TRACK };
enum { SNAPSHOT_CLOCK = 1, SNAPSHOT_PRIMARY };
enum { CLOCK_ID = 1, CLOCK_TIME, CLOCK_IS_INCREMENTAL };
enum { DEFAULTS_EVENT = 11, DEFAULTS_CLOCK = 58, DEFAULTS_EVENT_TRACK = 11 };
enum { INTERNED_EVENT_NAME = 2, NAME_ID = 1, NAME_TEXT };
enum { TRACK_ID = 1, TRACK_NAME, TRACK_PROCESS, TRACK_THREAD, TRACK_PARENT, TRACK_COUNTER = 8 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum { THREAD_PID = 1, THREAD_TID, THREAD_NAME = 5 };
enum { COUNTER_UNIT = 3 };
enum { EVENT_ANNOTATION = 4, EVENT_TYPE = 9, EVENT_NAME_ID, EVENT_TRACK, EVENT_COUNT = 30 };
enum { ANNOTATION_UINT = 3, ANNOTATION_TEXT = 6, ANNOTATION_NAME = 10 };

/* Their values. */
enum { CLOCK_OF_SYSTEM = 3 /* CLOCK_MONOTONIC */, CLOCK_OF_LANE = 64 /* the first that a sequence may define */ };
enum { FLAG_BEGINS = 1, FLAG_GOES_ON };
enum { UNIT_BYTES = 3 };
enum { TYPE_BEGIN = 1, TYPE_END, TYPE_MOMENT, TYPE_COUNT };

struct name { /* in this lane */
    const char *text;
    uint64_t id;
    UT_hash_handle hh;
};

struct track { /* of a process, or of what it counts */
    uint64_t id;
    UT_hash_handle hh;
    char key[];
};

struct writer {
    struct amp_out out;
    struct amp_message packet, part, inner;
    const struct amp_recording *recording;
    struct name *names;
    struct track *tracks;
    uint64_t n_tracks, track, sequence; /* of the lane */
    uint64_t at_ns;                     /* of the lane's last packet */
    const char *counter;                /* the name that was counted last in this lane, and its track */
    uint64_t counter_track;
    bool failed;
};

/* The packet is whole: write it down. */
static void end_packet(struct writer *w, unsigned flags)
{
    unsigned char head[16] = { TRACE_PACKET << 3 | 2 };
    size_t n = 1;

    amp_message_number(&w->packet, PACKET_SEQUENCE, w->sequence);
    amp_message_number(&w->packet, PACKET_FLAGS, flags);
    for (uint64_t left = w->packet.n; left > 0 || n == 1; left >>= 7)
        head[n++] = (unsigned char) ((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    fwrite(head, 1, n, w->out.file);
    fwrite(w->packet.bytes, 1, w->packet.n, w->out.file);
    w->failed = w->failed || w->packet.failed || w->part.failed || w->inner.failed;
    w->packet.n = w->part.n = w->inner.n = 0;
}

/* ---- Tracks */

/* The number of a process's track, or of what it counts. New: nothing has told of it yet. */
static uint64_t track_of(struct writer *w, const struct amp_lane *lane, const char *counter, bool *is_new)
{
    struct track *track;
    char key[2048];
    size_t n;

    snprintf(key, sizeof key, "%d %s", (int) lane->pid, counter);
    n = strlen(key);
    HASH_FIND(hh, w->tracks, key, n, track);
    *is_new = !track;
    if (track)
        return track->id;
    track = calloc(1, sizeof *track + n + 1);
    w->failed = w->failed || !track;
    if (!track)
        return 0;
    memcpy(track->key, key, n);
    track->id = ++w->n_tracks;
    HASH_ADD_KEYPTR(hh, w->tracks, track->key, n, track);
    return track->id;
}

static void begin_track(struct writer *w, uint64_t id, uint64_t parent)
{
    amp_message_number(&w->part, TRACK_ID, id);
    if (parent)
        amp_message_number(&w->part, TRACK_PARENT, parent);
}

static void end_track(struct writer *w)
{
    amp_message_put(&w->packet, PACKET_TRACK, &w->part);
    end_packet(w, FLAG_GOES_ON);
}

static uint64_t process_track(struct writer *w, const struct amp_lane *lane)
{
    const char *program = strrchr(lane->program, '/');
    bool is_new;
    uint64_t id = track_of(w, lane, "", &is_new);

    if (!is_new)
        return id;
    begin_track(w, id, 0);
    amp_message_number(&w->inner, PROCESS_PID, (uint64_t) lane->pid);
    amp_message_text(&w->inner, PROCESS_NAME, program ? program + 1 : lane->program);
    amp_message_put(&w->part, TRACK_PROCESS, &w->inner);
    end_track(w);
    return id;
}

static uint64_t counter_track(struct writer *w, const struct amp_lane *lane, const char *name)
{
    bool is_new = false;
    uint64_t id = w->counter == name ? w->counter_track : track_of(w, lane, name, &is_new);

    w->counter = name;
    w->counter_track = id;
    if (!is_new)
        return id;
    begin_track(w, id, process_track(w, lane));
    amp_message_text(&w->part, TRACK_NAME, name);
    if (strstr(name, "bytes"))
        amp_message_number(&w->inner, COUNTER_UNIT, UNIT_BYTES);
    amp_message_put(&w->part, TRACK_COUNTER, &w->inner);
    end_track(w);
    return id;
}

static void put_clock(struct writer *w, unsigned id, uint64_t ns)
{
    amp_message_number(&w->inner, CLOCK_ID, id);
    amp_message_number(&w->inner, CLOCK_TIME, ns);
    if (id == CLOCK_OF_LANE)
        amp_message_number(&w->inner, CLOCK_IS_INCREMENTAL, 1);
    amp_message_put(&w->part, SNAPSHOT_CLOCK, &w->inner);
}

static void forget_names(struct writer *w)
{
    struct name *name, *next;

    HASH_ITER(hh, w->names, name, next) {
        HASH_DEL(w->names, name);
        free(name);
    }
}

static int put_lane(void *context, const struct amp_lane *lane)
{
    struct writer *w = context;
    uint64_t process;

    forget_names(w);
    w->sequence++;
    w->track = ++w->n_tracks;
    w->at_ns = 0;
    w->counter = NULL;
    put_clock(w, CLOCK_OF_LANE, w->recording->begin_ns);
    put_clock(w, CLOCK_OF_SYSTEM, w->recording->begin_ns);
    amp_message_number(&w->part, SNAPSHOT_PRIMARY, CLOCK_OF_SYSTEM);
    amp_message_put(&w->packet, PACKET_CLOCK_SNAPSHOT, &w->part);
    amp_message_number(&w->inner, DEFAULTS_EVENT_TRACK, w->track);
    amp_message_put(&w->part, DEFAULTS_EVENT, &w->inner);
    amp_message_number(&w->part, DEFAULTS_CLOCK, CLOCK_OF_LANE);
    amp_message_put(&w->packet, PACKET_DEFAULTS, &w->part);
    end_packet(w, FLAG_BEGINS);
    process = process_track(w, lane);
    begin_track(w, w->track, process);
    amp_message_number(&w->inner, THREAD_PID, (uint64_t) lane->pid);
    amp_message_number(&w->inner, THREAD_TID, (uint64_t) lane->tid);
    amp_message_text(&w->inner, THREAD_NAME, lane->name);
    amp_message_put(&w->part, TRACK_THREAD, &w->inner);
    end_track(w);
    return w->failed ? -ENOMEM : 0;
}

/* ---- Events */

/* A name's number in this lane; a new one is told in this packet. */
static uint64_t number_of(struct writer *w, const char *text)
{
    struct name *name;

    HASH_FIND_PTR(w->names, &text, name);
    if (name)
        return name->id;
    name = calloc(1, sizeof *name);
    w->failed = w->failed || !name;
    if (!name)
        return 0;
    name->text = text;
    name->id = HASH_COUNT(w->names) + 1;
    HASH_ADD_PTR(w->names, text, name);
    amp_message_number(&w->inner, NAME_ID, name->id);
    amp_message_text(&w->inner, NAME_TEXT, text);
    amp_message_put(&w->part, INTERNED_EVENT_NAME, &w->inner);
    amp_message_put(&w->packet, PACKET_INTERNED, &w->part);
    return name->id;
}

static void begin_event(struct writer *w, unsigned type, uint64_t at_ns, const char *name)
{
    uint64_t number = name ? number_of(w, name) : 0;

    amp_message_number(&w->packet, PACKET_TIMESTAMP, at_ns > w->at_ns ? at_ns - w->at_ns : 0);
    w->at_ns = at_ns > w->at_ns ? at_ns : w->at_ns;
    amp_message_number(&w->part, EVENT_TYPE, type);
    if (number)
        amp_message_number(&w->part, EVENT_NAME_ID, number);
}

static int end_event(struct writer *w)
{
    amp_message_put(&w->packet, PACKET_EVENT, &w->part);
    end_packet(w, FLAG_GOES_ON);
    return w->failed ? -ENOMEM : 0;
}

static void put_text(struct writer *w, const char *name, const char *text)
{
    amp_message_text(&w->inner, ANNOTATION_NAME, name);
    amp_message_text(&w->inner, ANNOTATION_TEXT, text);
    amp_message_put(&w->part, EVENT_ANNOTATION, &w->inner);
}

static int put_begin(void *context, const struct amp_lane *lane, const struct amp_slice *slice)
{
    struct writer *w = context;

    (void) lane;
    begin_event(w, TYPE_BEGIN, slice->begin_ns, slice->name);
    if (slice->missing)
        put_text(w, "missing", "begin");
    return end_event(w);
}

static int put_end(void *context, const struct amp_lane *lane, const struct amp_slice *slice)
{
    struct writer *w = context;

    (void) lane;
    begin_event(w, TYPE_END, slice->begin_ns + slice->ns, NULL);
    if ((slice->missing & AMP_SLICE_NO_END) && !(slice->missing & AMP_SLICE_NO_BEGIN))
        put_text(w, "missing", "end");
    return end_event(w);
}

static int put_moment(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    struct writer *w = context;

    (void) lane;
    begin_event(w, TYPE_MOMENT, moment->at_ns, moment->name);
    if (moment->value > 0) {
        amp_message_text(&w->inner, ANNOTATION_NAME, "value");
        amp_message_number(&w->inner, ANNOTATION_UINT, moment->value);
        amp_message_put(&w->part, EVENT_ANNOTATION, &w->inner);
    }
    if (moment->from)
        put_text(w, "from", moment->from);
    return end_event(w);
}

static int put_count(void *context, const struct amp_lane *lane, const struct amp_moment *moment)
{
    struct writer *w = context;
    uint64_t track = counter_track(w, lane, moment->name);

    begin_event(w, TYPE_COUNT, moment->at_ns, NULL);
    amp_message_number(&w->part, EVENT_TRACK, track);
    amp_message_number(&w->part, EVENT_COUNT, moment->value);
    return end_event(w);
}

int amp_perfetto_save(struct amp_recording *recording, const char *path, struct amp_lanes_facts *facts)
{
    struct writer w = { .recording = recording };
    const struct amp_lanes_sink sink = { &w, put_lane, put_begin, put_end, put_moment, put_count };
    int err = amp_out_open(&w.out, path);
    struct track *track, *next;

    if (err)
        return err;
    err = amp_lanes_make(recording, &sink, facts);
    forget_names(&w);
    HASH_ITER(hh, w.tracks, track, next) {
        HASH_DEL(w.tracks, track);
        free(track);
    }
    free(w.packet.bytes);
    free(w.part.bytes);
    free(w.inner.bytes);
    return amp_out_close(&w.out, err);
}
