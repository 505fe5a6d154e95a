/* SPDX-License-Identifier: MIT
 *
 * Begins and ends are matched by name, thread by thread. Where the ring has overwritten the begin of a slice, it begins
 * with the first event of its thread that is left; where the end never came (the process was killed, or the end is
 * still to come), it ends with the last one. An end closes all that began within its slice, in either case. */
#include "harness/timeline/write/lanes.h"

#include "harness/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 4096 /* slices within each other; an end of one that lies deeper is a stray one */

struct open_slice {
    const char *name;
    uint64_t begin_ns;
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
    size_t depth;
    uint64_t first_ns, last_ns; /* of the lane; first_ns 0: there was none yet */
    bool is_cut;                /* its oldest events were overwritten */
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

void amp_lanes_measure(struct amp_recording *recording, uint64_t window_ns)
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
}

/* ---- Slices */

static int tell_slice(struct maker *m, const struct open_slice *open, uint64_t end_ns, unsigned missing)
{
    uint64_t from_ns = m->recording->begin_ns;
    struct amp_slice slice = { .name = open->name, .depth = (unsigned) m->depth };

    if (end_ns < from_ns) {
        m->facts->before++;
        return 0;
    }
    if (open->begin_ns < from_ns)
        missing |= AMP_SLICE_NO_BEGIN;
    slice.begin_ns = open->begin_ns > from_ns ? open->begin_ns - from_ns : 0;
    slice.ns = end_ns - from_ns > slice.begin_ns ? end_ns - from_ns - slice.begin_ns : 0;
    slice.missing = missing;
    m->facts->slices++;
    m->facts->no_begin += (missing & AMP_SLICE_NO_BEGIN) > 0;
    m->facts->no_end += (missing & AMP_SLICE_NO_END) > 0;
    return m->sink->slice ? m->sink->slice(m->sink->context, &m->lane, &slice) : 0;
}

/* Close what is open, down to this depth; what lies above it has lost its end. */
static int close_to(struct maker *m, size_t depth, uint64_t at_ns, bool is_end_of_lowest)
{
    int err = 0;

    while (m->depth > depth && !err) {
        const struct open_slice *open = &m->open[--m->depth];

        err = tell_slice(m, open, at_ns, m->depth == depth && is_end_of_lowest ? 0 : AMP_SLICE_NO_END);
    }
    return err;
}

static int end_slice(struct maker *m, const char *name, uint64_t at_ns)
{
    size_t depth = m->depth;

    while (depth > 0 && strcmp(m->open[depth - 1].name, name) != 0)
        depth--;
    if (depth > 0)
        return close_to(m, depth - 1, at_ns, true);
    if (m->is_cut) { /* all that was seen to begin lies within it */
        int err = close_to(m, 0, at_ns, false);

        return err ? err : tell_slice(m, &(struct open_slice){ name, m->first_ns }, at_ns, AMP_SLICE_NO_BEGIN);
    }
    m->facts->stray++;
    return 0;
}

static int take(struct maker *m, const struct amp_ring_event *event, uint64_t value)
{
    const char *name = amp_recorded_name(m->process, event->name);
    uint64_t at_ns = amp_recorded_ns(m->process, event->ticks), from_ns = m->recording->begin_ns;
    int (*tell)(void *, const struct amp_lane *, const char *, uint64_t, uint64_t) = m->sink->moment;

    m->facts->events++;
    m->first_ns = m->first_ns ? m->first_ns : at_ns;
    m->last_ns = at_ns;
    switch (event->kind & ~(uint32_t) AMP_RING_HAS_VALUE) {
    case AMP_MARK_BEGIN:
        if (m->depth == DEEPEST) {
            m->facts->damaged++;
            return 0;
        }
        m->open[m->depth++] = (struct open_slice){ name, at_ns };
        return 0;
    case AMP_MARK_END:
        return end_slice(m, name, at_ns);
    case AMP_MARK_COUNT:
        tell = m->sink->count;
        /* fallthrough */
    case AMP_MARK_POINT:
        if (at_ns < from_ns) {
            m->facts->before++;
            return 0;
        }
        m->facts->moments += tell == m->sink->moment;
        m->facts->counts += tell != m->sink->moment;
        return tell ? tell(m->sink->context, &m->lane, name, at_ns - from_ns, value) : 0;
    default:
        m->facts->damaged++;
        return 0;
    }
}

static int take_all(struct maker *m, const struct amp_ring_chunk *chunk)
{
    int err = 0;

    for (uint32_t i = 0; i < chunk->used && !err; i++) {
        const struct amp_ring_event *event = &chunk->events[i];
        bool has_value = (event->kind & AMP_RING_HAS_VALUE) && i + 1 < chunk->used;

        err = take(m, event, has_value ? event[1].ticks : 0);
        i += has_value;
    }
    return err;
}

/* ---- Lanes */

static int end_lane(struct maker *m)
{
    int err = close_to(m, 0, m->last_ns, false);

    m->first_ns = 0;
    return err;
}

/* `last`: the latest chunk of the thread, which has its latest name. */
static int begin_lane(struct maker *m, const struct amp_ring_chunk *chunk, const struct amp_ring_chunk *last)
{
    const struct amp_ring_head *head = m->process->head;
    bool is_whole = memchr(head->program, '\0', sizeof head->program) != NULL;

    m->lane = (struct amp_lane){ .process = (unsigned) (m->process - m->recording->processes), .number = chunk->thread,
                                 .pid = head->pid, .tid = chunk->tid, .program = is_whole ? head->program : "?" };
    memcpy(m->lane.name, last->name, sizeof m->lane.name - 1);
    m->is_cut = chunk->nth > 1;
    m->facts->lanes++;
    return m->sink->lane ? m->sink->lane(m->sink->context, &m->lane) : 0;
}

static int make_process(struct maker *m, struct amp_ring_chunk *chunk)
{
    size_t n, last = 0;
    struct part *parts = parts_of(m->process, &n);
    uint32_t now = 0; /* the lane's thread; 0: none */
    int err = parts ? 0 : -ENOMEM;

    if (parts)
        qsort(parts, n, sizeof *parts, in_order);
    for (size_t i = 0; i < n && !err; i++) {
        if (!copy(m->process, &parts[i], chunk))
            continue;
        if (chunk->thread != now) {
            err = now ? end_lane(m) : 0;
            for (last = i; last + 1 < n && parts[last + 1].thread == parts[i].thread;)
                last++;
            if (!err)
                err = begin_lane(m, chunk, amp_recorded_chunk(m->process, parts[last].i));
            now = chunk->thread;
        }
        if (!err)
            err = take_all(m, chunk);
    }
    if (now && !err)
        err = end_lane(m);
    free(parts);
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
    *out = (struct amp_lanes_facts){ .ns = recording->end_ns - recording->begin_ns };
    if (!chunk || !m.open)
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
    return err;
}
