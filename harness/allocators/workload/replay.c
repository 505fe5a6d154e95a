/* SPDX-License-Identifier: MIT */
#include "harness/allocators/workload/replay.h"

#include "harness/lesson/pair.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

enum { LINE_B = 64, PAGE_B = 4096, SPINS = 256 };

struct slot {
    unsigned char *at; /* NULL: no object */
    uint64_t size;
};

static struct replay {
    struct amp_trace_head head;
    struct amp_trace_call *calls; /* of a cycle: those of the trace, and fillers */
    uint64_t n;                   /* a multiple of the threads */
    struct slot *slots;
    uint64_t live_b, peak_b, mark; /* mark: the next call after which live bytes are known */
    _Alignas(64) uint64_t turn;    /* how many calls are done */
    struct {
        _Alignas(64) uint64_t until; /* this thread goes on to that turn */
    } of[AMP_WORKLOAD_THREADS];
} replay;

/* ---- One call */

/* As the program did: all of a small object, of a large one so many pages. The first word is kept, to be read at the
 * end: an allocator that gives out memory twice changes it. */
static void touch(unsigned char *p, uint64_t from, const struct amp_trace_call *call)
{
    uint64_t step = call->size < AMP_TRACE_LARGE_B ? LINE_B : PAGE_B;
    uint64_t end = step == LINE_B ? call->size : (uint64_t) call->pages * PAGE_B;
    uint64_t word = call->slot * 0x9e3779b97f4a7c15u;

    end = end < call->size ? end : call->size;
    for (uint64_t at = from > 0 ? (from + step - 1) / step * step : step; at < end; at += step)
        p[at] = 1;
    if (from < sizeof word && call->size >= sizeof word)
        memcpy(p, &word, sizeof word);
    else if (call->size > 0 && from == 0)
        p[0] = 1;
}

static void begin(const struct amp_trace_call *call)
{
    struct slot *slot = &replay.slots[call->slot];
    size_t size = call->size, alignment = (size_t) 1 << (call->alignment > 4 ? call->alignment : 4);

    if (call->what == AMP_TRACE_MALLOC)
        slot->at = malloc(size);
    else if (call->what == AMP_TRACE_CALLOC)
        slot->at = calloc(1, size);
    else
        slot->at = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (!slot->at && size > 0)
        _exit(AMP_EXIT_NO_MEMORY);
    slot->size = size;
    replay.live_b += size;
    if (slot->at)
        touch(slot->at, 0, call);
}

static void move(const struct amp_trace_call *call)
{
    struct slot *slot = &replay.slots[call->slot];
    uint64_t before = slot->size;
    unsigned char *p = realloc(slot->at, call->size > 0 ? call->size : 1);

    if (!p)
        _exit(AMP_EXIT_NO_MEMORY);
    replay.live_b += call->size - before;
    *slot = (struct slot){ p, call->size };
    if (call->size > before)
        touch(p, before, call);
}

static uint64_t end(struct slot *slot)
{
    uint64_t word = 0;

    if (slot->size >= sizeof word)
        memcpy(&word, slot->at, sizeof word);
    free(slot->at);
    replay.live_b -= slot->size;
    *slot = (struct slot){ NULL, 0 };
    return word;
}

static uint64_t end_all(void)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < replay.head.slots; i++)
        if (replay.slots[i].at)
            sum += end(&replay.slots[i]);
    return sum;
}

/* Live bytes must be the recording's. */
static void hold_to_recording(uint64_t i)
{
    uint64_t want_b = replay.head.live_b[i / replay.head.step];

    if (replay.live_b != want_b) {
        amp_complain(0, "trace", "after call %" PRIu64 ", %" PRIu64 " bytes live, not %" PRIu64 " as in the recording",
                     i, replay.live_b, want_b);
        _exit(AMP_EXIT_DISAGREE);
    }
    replay.mark += replay.head.step;
}

static uint64_t do_call(uint64_t i)
{
    const struct amp_trace_call *call = &replay.calls[i];
    uint64_t sum = 0;

    switch ((enum amp_trace_what) call->what) {
    case AMP_TRACE_MALLOC:
    case AMP_TRACE_CALLOC:
    case AMP_TRACE_ALIGNED:
        begin(call);
        break;
    case AMP_TRACE_REALLOC:
        move(call);
        break;
    case AMP_TRACE_FREE:
        sum = end(&replay.slots[call->slot]);
        break;
    case AMP_TRACE_END: /* a filler: the first ends the cycle */
        sum = i == replay.head.calls ? end_all() : 0;
        replay.mark = 0;
        return sum;
    }
    replay.peak_b = replay.live_b > replay.peak_b ? replay.live_b : replay.peak_b;
    if (i == replay.mark)
        hold_to_recording(i);
    return sum;
}

/* ---- The workload */

static void *set_up(uint64_t seed)
{
    (void) seed; /* a trace leaves nothing to chance */
    return &replay;
}

/* Wait for the turn of another thread to end. */
static uint64_t wait_for_turn(uint64_t turn)
{
    uint64_t now;

    for (unsigned n = 1; (now = __atomic_load_n(&replay.turn, __ATOMIC_ACQUIRE)) == turn; n++)
        if (n % SPINS == 0)
            sched_yield();
    return now;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    uint64_t turn = __atomic_load_n(&replay.turn, __ATOMIC_ACQUIRE), i = turn % replay.n, sum = 0;
    uint64_t until = replay.of[thread].until += ops * replay.head.threads;

    (void) fixture;
    while (turn < until) {
        if (replay.calls[i].thread != thread) {
            turn = wait_for_turn(turn);
            i = turn % replay.n;
            continue;
        }
        do {
            sum += do_call(i);
            turn++;
            i = i + 1 == replay.n ? 0 : i + 1;
        } while (turn < until && replay.calls[i].thread == thread);
        __atomic_store_n(&replay.turn, turn, __ATOMIC_RELEASE);
    }
    return sum;
}

/* The next call is the first of a cycle. */
static void drain(void *fixture)
{
    (void) fixture;
    end_all();
    replay.turn = replay.mark = 0;
    for (unsigned i = 0; i < AMP_WORKLOAD_THREADS; i++)
        replay.of[i].until = 0;
}

static uint64_t asked_peak_b(const void *fixture)
{
    (void) fixture;
    return replay.peak_b;
}

static void tear_down(void *fixture)
{
    (void) fixture;
    amp_unmap(replay.calls, replay.n * sizeof *replay.calls);
    amp_unmap(replay.slots, (replay.head.slots + 1) * sizeof *replay.slots);
}

/* ---- Loading */

static int read_calls(struct amp_trace_file *file, const char **why)
{
    for (uint64_t i = 0; i < replay.head.calls; i++) {
        int err = amp_trace_read(file, &replay.calls[i], why);

        if (!err && replay.calls[i].slot >= replay.head.slots) {
            *why = "it has more slots than its head says";
            err = -EPROTO;
        }
        if (err)
            return err;
    }
    for (uint64_t i = replay.head.calls; i < replay.n; i++)
        replay.calls[i] = (struct amp_trace_call){ .what = AMP_TRACE_END };
    return 0;
}

int amp_replay_load(const char *path, struct amp_replay *out, const char **why)
{
    struct amp_trace_file *file;
    json_t *strings;
    const char *unused;
    int err = amp_replay_describe(path, out, why);

    if (!err)
        err = amp_trace_open(path, &replay.head, &strings, &file, why);
    if (err)
        return err;
    json_decref(strings); /* the program's words are not wanted */
    replay.n = (replay.head.calls / replay.head.threads + 1) * replay.head.threads;
    if (replay.head.n_live * replay.head.step < replay.head.calls) {
        *why = "its points do not cover its calls";
        amp_trace_close(file, &unused);
        return -EPROTO;
    }
    replay.calls = amp_map(replay.n * sizeof *replay.calls);
    replay.slots = amp_map((replay.head.slots + 1) * sizeof *replay.slots);
    err = read_calls(file, why);
    if (err)
        amp_trace_close(file, &unused);
    else
        err = amp_trace_close(file, why);
    out->workload.set_up = set_up;
    out->workload.run = run;
    out->workload.drain = drain;
    out->workload.asked_peak_b = asked_peak_b;
    out->workload.tear_down = tear_down;
    return err;
}
