/* SPDX-License-Identifier: MIT
 *
 * Begins and ends are matched by name, thread by thread. Where the ring has overwritten the begin of a slice, it begins
 * with the first event of its thread that is left: a thread whose oldest events are gone is read twice, first for the
 * ends of such slices. Where the end never came (the process was killed, or the end is still to come), it ends with the
 * last one. An end closes all that began within its slice, in either case. */
#include "harness/timeline/write/lanes.h"

#include "harness/marks.h"
#include "harness/timeline/write/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 4096 /* slices within each other; an end of one that lies deeper is a stray one */

struct open_slice {
    const char *name;
    uint64_t begin_ns;
    bool has_no_begin;
};

struct part { /* of a thread: a chunk's place in the file, and what it was when the order was made */
    uint64_t i, order;
    uint32_t thread, nth;
};

struct maker {
    struct amp_recording *recording;
    const struct amp_recorded *process;
    const struct amp_lanes_sink *sink;
    struct amp_lanes_facts *facts;
    struct amp_lane lane;
    struct open_slice *open;
    size_t depth, n_told; /* of the open slices, the outer n_told were told to have begun */
    const char **lost;    /* names of slices whose begin is overwritten, in the order of their ends */
    size_t n_lost;
    bool is_looking;            /* for these */
    uint64_t first_ns, last_ns; /* of the lane; first_ns 0: there was none yet */
    uint64_t end_ns;            /* of the process */
    unsigned char *is_counter;  /* [number - 1] of its names */
};

static struct part *parts_of(const struct amp_recorded *process, size_t *n)
{
    struct part *parts = calloc(process->head->n_chunks + 1, sizeof *parts);

    *n = 0;
    for (uint64_t i = 0; parts && i < process->head->n_chunks; i++) {
        const struct amp_ring_chunk *chunk = amp_recorded_chunk(process, i);
        uint64_t order = __atomic_load_n(&chunk->order, __ATOMIC_ACQUIRE);

        if (order > 0)
            parts[(*n)++] = (struct part){ i, order, chunk->thread, chunk->nth };
    }
    return parts;
}

static int in_order(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* A copy, since its process may be writing. False: it has changed hands meanwhile. */
static bool copy(const struct amp_recorded *process, const struct part *part, struct amp_ring_chunk *out)
{
    const struct amp_ring_chunk *chunk = amp_recorded_chunk(process, part->i);
    uint32_t used = __atomic_load_n(&chunk->used, __ATOMIC_ACQUIRE);

    memcpy(out, chunk, AMP_RING_CHUNK_B);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    out->used = used < AMP_RING_EVENTS ? used : AMP_RING_EVENTS;
    return __atomic_load_n(&chunk->order, __ATOMIC_ACQUIRE) == part->order;
}

/* ---- Which time */

void amp_lanes_measure(struct amp_recording *recording, uint64_t window_ns, uint64_t since_ns, uint64_t to_ns)
{
    recording->begin_ns = UINT64_MAX;
    recording->end_ns = 0;
    for (size_t p = 0; p < recording->n; p++) {
        const struct amp_recorded *process = &recording->processes[p];

        for (uint64_t i = 0; i < process->head->n_chunks; i++) {
            const struct amp_ring_chunk *chunk = amp_recorded_chunk(process, i);
            uint32_t used = chunk->used < AMP_RING_EVENTS ? chunk->used : AMP_RING_EVENTS;
            uint64_t first_ns, last_ns;

            if (chunk->order == 0 || used == 0)
                continue;
            if (used > 1 && (chunk->events[used - 2].kind & AMP_RING_HAS_VALUE))
                used--;
            first_ns = amp_recorded_ns(process, chunk->events[0].ticks);
            last_ns = amp_recorded_ns(process, chunk->events[used - 1].ticks);
            recording->begin_ns = first_ns < recording->begin_ns ? first_ns : recording->begin_ns;
            recording->end_ns = last_ns > recording->end_ns ? last_ns : recording->end_ns;
        }
    }
    if (recording->begin_ns > recording->end_ns)
        recording->begin_ns = recording->end_ns;
    if (window_ns > 0 && recording->end_ns - recording->begin_ns > window_ns)
        recording->begin_ns = recording->end_ns - window_ns;
    if (to_ns > 0) {
        uint64_t first_ns = recording->begin_ns, last_ns = recording->end_ns;

        recording->begin_ns = first_ns + since_ns < last_ns ? first_ns + since_ns : last_ns;
        recording->end_ns = first_ns + to_ns < last_ns ? first_ns + to_ns : last_ns;
    }
}

/* ---- Slices */

/* A slice that is open, as it is told. */
static struct amp_slice slice_of(const struct maker *m, size_t depth)
{
    const struct open_slice *open = &m->open[depth];
    uint64_t from_ns = m->recording->begin_ns;
    struct amp_slice slice = { .name = open->name, .depth = (unsigned) depth };

    if (open->has_no_begin || open->begin_ns < from_ns)
        slice.missing = AMP_SLICE_NO_BEGIN;
    slice.begin_ns = open->begin_ns > from_ns ? open->begin_ns - from_ns : 0;
    return slice;
}

/* From the begin of the window on, all that is open. */
static int tell_begins(struct maker *m, uint64_t now_ns)
{
    int err = 0;

    for (; m->n_told < m->depth && now_ns >= m->recording->begin_ns && !err; m->n_told++) {
        struct amp_slice slice = slice_of(m, m->n_told);

        err = m->sink->begin ? m->sink->begin(m->sink->context, &m->lane, &slice) : 0;
    }
    return err;
}

/* The innermost slice has ended. */
static int tell_slice(struct maker *m, uint64_t end_ns, unsigned missing)
{
    struct amp_slice slice = slice_of(m, --m->depth);

    if (m->n_told <= m->depth) {
        m->facts->before++;
        return 0;
    }
    m->n_told = m->depth;
    end_ns -= m->recording->begin_ns;
    slice.ns = end_ns > slice.begin_ns ? end_ns - slice.begin_ns : 0;
    slice.missing |= missing;
    m->facts->slices++;
    m->facts->no_begin += (slice.missing & AMP_SLICE_NO_BEGIN) > 0;
    m->facts->no_end += (slice.missing & AMP_SLICE_NO_END) > 0;
    return m->sink->slice ? m->sink->slice(m->sink->context, &m->lane, &slice) : 0;
}

/* Close what is open, down to this depth; what lies above it has lost its end. */
static int close_to(struct maker *m, size_t depth, uint64_t at_ns, bool is_end_of_lowest)
{
    int err = tell_begins(m, at_ns);

    while (m->depth > depth && !err)
        err = tell_slice(m, at_ns, m->depth == depth + 1 && is_end_of_lowest ? 0 : AMP_SLICE_NO_END);
    return err;
}

static int end_slice(struct maker *m, const char *name, uint64_t at_ns)
{
    size_t depth = m->depth;

    while (depth > 0 && strcmp(m->open[depth - 1].name, name) != 0)
        depth--;
    if (depth > 0)
        return close_to(m, depth - 1, at_ns, true);
    m->facts->stray++;
    if (!m->is_looking)
        return 0;
    if (m->n_lost < DEEPEST / 2)
        m->lost[m->n_lost++] = name;
    return close_to(m, 0, at_ns, false); /* all that was seen to begin lies within it */
}

/* The lane begins within the slices whose begin is lost: the outermost is the one that ends last. */
static void open_lost(struct maker *m, uint64_t at_ns)
{
    while (m->n_lost > 0)
        m->open[m->depth++] = (struct open_slice){ m->lost[--m->n_lost], at_ns, true };
}

static int tell_value(struct maker *m, const struct amp_ring_event *event, uint64_t at_ns, uint64_t value,
                      uint32_t stack)
{
    const struct amp_lanes_sink *sink = m->sink;
    bool is_count = (event->kind & ~(uint32_t) AMP_RING_HAS_VALUE) == AMP_MARK_COUNT;
    int (*tell)(void *, const struct amp_lane *, const struct amp_moment *) = is_count ? sink->count : sink->moment;
    struct amp_moment moment = { amp_recorded_name(m->process, event->name), at_ns - m->recording->begin_ns, value,
                                 amp_stacks_text(m->recording->stacks, m->lane.process, stack) };

    if (at_ns < m->recording->begin_ns) {
        m->facts->before++;
        return 0;
    }
    m->facts->moments += !is_count;
    m->facts->counts += is_count;
    if (is_count && event->name > 0 && event->name <= m->process->n_names)
        m->is_counter[event->name - 1] = 1;
    return tell ? tell(sink->context, &m->lane, &moment) : 0;
}

static int take(struct maker *m, const struct amp_ring_event *event, uint64_t value, uint32_t stack)
{
    const char *name = amp_recorded_name(m->process, event->name);
    uint64_t at_ns = amp_recorded_ns(m->process, event->ticks);
    int err;

    at_ns = at_ns > m->last_ns ? at_ns : m->last_ns;
    if (at_ns > m->recording->end_ns) {
        m->last_ns = m->recording->end_ns;
        m->facts->after++;
        return 0;
    }
    m->facts->events++;
    if (!m->first_ns) {
        m->first_ns = at_ns;
        open_lost(m, at_ns);
    }
    m->last_ns = at_ns;
    err = tell_begins(m, at_ns);
    if (err)
        return err;
    switch (event->kind & ~(uint32_t) AMP_RING_HAS_VALUE) {
    case AMP_MARK_BEGIN:
        if (m->depth == DEEPEST) {
            m->facts->damaged++;
            return 0;
        }
        m->open[m->depth++] = (struct open_slice){ name, at_ns, false };
        return tell_begins(m, at_ns);
    case AMP_MARK_END:
        return end_slice(m, name, at_ns);
    case AMP_MARK_COUNT:
    case AMP_MARK_POINT:
        return tell_value(m, event, at_ns, value, stack);
    default:
        m->facts->damaged++;
        return 0;
    }
}

static int take_all(struct maker *m, const struct amp_ring_chunk *chunk)
{
    bool have_stacks = m->process->head->version > 1;
    int err = 0;

    for (uint32_t i = 0; i < chunk->used && !err; i++) {
        const struct amp_ring_event *event = &chunk->events[i];
        bool has_value = (event->kind & AMP_RING_HAS_VALUE) && i + 1 < chunk->used;

        err = take(m, event, has_value ? event[1].ticks : 0, has_value && have_stacks ? event[1].name : 0);
        i += has_value;
    }
    return err;
}

/* ---- Lanes */

/* `last`: the latest chunk of the thread, which has its latest name. */
static int begin_lane(struct maker *m, const struct amp_ring_chunk *chunk, const struct amp_ring_chunk *last)
{
    const struct amp_ring_head *head = m->process->head;
    bool is_whole = memchr(head->program, '\0', sizeof head->program) != NULL;

    m->lane = (struct amp_lane){ .process = (unsigned) (m->process - m->recording->processes), .number = chunk->thread,
                                 .pid = head->pid, .tid = chunk->tid, .program = is_whole ? head->program : "?" };
    memcpy(m->lane.name, last->name, sizeof m->lane.name - 1);
    m->facts->lanes++;
    return m->sink->lane ? m->sink->lane(m->sink->context, &m->lane) : 0;
}

static int take_parts(struct maker *m, const struct part *parts, size_t n, struct amp_ring_chunk *chunk)
{
    int err = 0;

    m->first_ns = m->last_ns = 0;
    for (size_t i = 0; i < n && !err; i++)
        if (copy(m->process, &parts[i], chunk))
            err = take_all(m, chunk);
    return err ? err : close_to(m, 0, m->last_ns, false);
}

/* What ends in this thread and began before what is left of it. */
static int look_for_lost(struct maker *m, const struct part *parts, size_t n, struct amp_ring_chunk *chunk)
{
    static const struct amp_lanes_sink nobody;
    struct amp_lanes_facts ignored = { 0 };
    struct maker looking = *m;
    int err;

    looking.sink = &nobody;
    looking.facts = &ignored;
    looking.is_looking = true;
    err = take_parts(&looking, parts, n, chunk);
    m->n_lost = looking.n_lost;
    return err;
}

/* A thread's n parts. */
static int make_lane(struct maker *m, const struct part *parts, size_t n, struct amp_ring_chunk *chunk)
{
    int err;

    while (n > 0 && !copy(m->process, parts, chunk)) {
        parts++;
        n--;
    }
    if (n == 0)
        return 0;
    m->n_lost = m->n_told = 0;
    err = begin_lane(m, chunk, amp_recorded_chunk(m->process, parts[n - 1].i));
    if (!err && chunk->nth > 1)
        err = look_for_lost(m, parts, n, chunk);
    if (!err)
        err = take_parts(m, parts, n, chunk);
    m->end_ns = m->last_ns > m->end_ns ? m->last_ns : m->end_ns;
    return err;
}

/* What a process counts ends with it; not with the window that it outlives. */
static int end_counters(struct maker *m)
{
    struct amp_moment end = { .at_ns = m->end_ns - m->recording->begin_ns };
    int err = 0;

    for (uint32_t i = 0; i < m->process->n_names && !m->recording->is_running && !err; i++) {
        end.name = m->process->names[i];
        if (m->is_counter[i] && m->sink->count)
            err = m->sink->count(m->sink->context, &m->lane, &end);
    }
    return err;
}

static int make_process(struct maker *m, struct amp_ring_chunk *chunk)
{
    size_t n, next;
    struct part *parts = parts_of(m->process, &n);
    uint64_t after = m->facts->after;
    int err = 0;

    m->is_counter = calloc(m->process->n_names + 1, 1);
    if (!parts || !m->is_counter)
        err = -ENOMEM;
    else
        qsort(parts, n, sizeof *parts, in_order);
    m->end_ns = 0;
    for (size_t i = 0; i < n && !err; i = next) {
        for (next = i + 1; next < n && parts[next].thread == parts[i].thread;)
            next++;
        err = make_lane(m, parts + i, next - i, chunk);
    }
    if (!err && m->facts->after == after)
        err = end_counters(m);
    free(parts);
    free(m->is_counter);
    return err;
}

/* Of several recordings of one process, exec began all but the first. */
static bool is_new(const struct amp_recording *recording, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (recording->processes[k].head->pid == recording->processes[i].head->pid)
            return false;
    return true;
}

int amp_lanes_make(struct amp_recording *recording, const struct amp_lanes_sink *sink, struct amp_lanes_facts *out)
{
    struct maker m = { .recording = recording, .sink = sink, .facts = out };
    struct amp_ring_chunk *chunk = malloc(AMP_RING_CHUNK_B);
    int err = 0;

    m.open = malloc(DEEPEST * sizeof *m.open);
    m.lost = malloc(DEEPEST / 2 * sizeof *m.lost);
    *out = (struct amp_lanes_facts){ .ns = recording->end_ns - recording->begin_ns };
    if (!chunk || !m.open || !m.lost)
        err = -ENOMEM;
    for (size_t i = 0; i < recording->n && !err; i++) {
        m.process = &recording->processes[i];
        out->processes += is_new(recording, i);
        out->overwritten += m.process->head->overwritten;
        out->lost += m.process->head->lost;
        err = make_process(&m, chunk);
    }
    free(chunk);
    free(m.open);
    free(m.lost);
    return err;
}
