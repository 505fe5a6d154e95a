/* SPDX-License-Identifier: MIT
 *
 * The other half of the library that records: what harness/profile/preload does in front of the program's allocator is
 * written down here instead of counted. A call costs a place in one sequence, two words, and a look whether the object
 * is a large one.
 *
 * Of large objects, the pages that are resident when they end are counted (mincore(2)): as many as were touched, unless
 * the allocator gave out memory that was touched before. */
#include "harness/record/log.h"

#include "harness/record/memory.h"

#include "harness/profile/preload/count.h"
#include "harness/profile/record/region.h"

#include <errno.h>
#include <stdlib.h>

#define BLOCKS 1024u /* calls beyond so many records are lost: beyond 67 millions, a GiB */
#define LARGE_LINES 4096u
#define LARGE_EACH 4u /* they fill a line of the cache */
#define PAGE_B 4096u
#define GROWN_B ((size_t) 1 << 20)

__thread struct amp_thread amp_thread __attribute__((tls_model("initial-exec")));

/* Of this process alone: a forked child finds it empty. */
struct log {
    uint64_t n;
    struct amp_lock adding;
    struct amp_log_calls *blocks[BLOCKS];
    size_t since_b; /* asked for since memory was looked at, less large ones that ended */
    size_t again_b; /* look again at so much */
    size_t most_pages, told_pages; /* the most that were found, and those when memory besides the heap was looked at */
    _Alignas(64) struct large {
        uintptr_t address; /* 0: none */
        size_t size_b;
    } large[LARGE_LINES][LARGE_EACH]; /* by their address; what finds no place is taken to be touched throughout */
    bool is_full;
};

static struct log *recording;

void amp_stack_forget(void)
{
}

void amp_sites_forget(void)
{
}

void amp_count_set(bool on)
{
    __atomic_store_n(&amp_region_off, !on, __ATOMIC_RELAXED);
}

void amp_count_failed(void)
{
}

static struct log *begin(void)
{
    static struct amp_lock making;
    struct log *made;

    amp_lock(&making);
    if (!recording && amp_region_make() && (made = amp_region_map(sizeof *made)) != NULL)
        __atomic_store_n(&recording, made, __ATOMIC_RELEASE);
    amp_unlock(&making);
    return recording;
}

/* A forked child has the pointer, but finds all 0 behind it: the same as a log that has just begun. */
static struct log *log_of(void)
{
    struct log *log = __atomic_load_n(&recording, __ATOMIC_ACQUIRE);

    return __builtin_expect(log != NULL, 1) ? log : begin();
}

static struct amp_log_calls *add_block(struct log *log, uint64_t number)
{
    struct amp_log_calls *block;
    int error = errno;

    amp_lock(&log->adding);
    block = log->blocks[number];
    if (!block && !log->is_full) {
        block = amp_region_add(sizeof *block);
        if (block) {
            block->record.size_b = sizeof *block;
            block->first = number * AMP_LOG_CALLS_EACH;
            __atomic_store_n(&block->record.kind, AMP_LOG_CALLS, __ATOMIC_RELEASE);
            __atomic_store_n(&log->blocks[number], block, __ATOMIC_RELEASE);
        }
        log->is_full = !block;
    }
    amp_unlock(&log->adding);
    errno = error;
    return block;
}

static uint16_t thread_id(void)
{
    static __thread uint32_t id __attribute__((tls_model("initial-exec")));
    static uint32_t n;

    if (__builtin_expect(!id, 0))
        id = __atomic_add_fetch(&n, 1, __ATOMIC_RELAXED);
    return (uint16_t) id;
}

/* Returns the call's number; UINT64_MAX: it found no place. */
static uint64_t note(struct log *log, enum amp_log_what what, uintptr_t address, size_t size, unsigned alignment)
{
    uint64_t at = amp_single_threaded() ? log->n++ : __atomic_fetch_add(&log->n, 1, __ATOMIC_RELAXED);
    uint64_t number = at / AMP_LOG_CALLS_EACH;
    struct amp_log_calls *block = number < BLOCKS ? __atomic_load_n(&log->blocks[number], __ATOMIC_ACQUIRE) : NULL;
    struct amp_log_call call = { .address = address & 0xffffffffffff, .what = what, .alignment = alignment & 255 };
    struct amp_log_call *place;
    uint64_t first;

    if (__builtin_expect(!block, 0)) {
        block = number < BLOCKS ? add_block(log, number) : NULL;
        if (!block || log->is_full)
            return UINT64_MAX;
    }
    place = &block->calls[at % AMP_LOG_CALLS_EACH];
    __builtin_memcpy(&first, &call, sizeof first);
    place->size = size & 0xffffffffffff;
    place->thread = thread_id();
    __atomic_store_n((uint64_t *) place, first, __ATOMIC_RELEASE);
    return at;
}

/* ---- Memory */

/* What is not the heap's is looked at rarely. */
static void look_at_memory(struct log *log, bool whole)
{
    size_t pages = amp_memory_own();
    size_t least_b = pages * PAGE_B / 64 > PAGE_B ? pages * PAGE_B / 64 : PAGE_B;
    size_t most_b = least_b > GROWN_B ? least_b : GROWN_B;

    if (pages == 0) { /* it cannot be told */
        log->again_b = GROWN_B;
        return;
    }
    log->again_b = pages > log->most_pages ? least_b : 2 * log->again_b < most_b ? 2 * log->again_b : most_b;
    log->most_pages = pages > log->most_pages ? pages : log->most_pages;
    if (whole || pages >= 2 * log->told_pages) {
        log->told_pages = pages;
        note(log, AMP_LOG_BESIDES, 0, amp_memory_besides(log), 0);
    }
    note(log, AMP_LOG_MEMORY, 0, pages, 0);
}

/* Memory is looked at when it may have grown by a page or, if that is more, by a 64th; the more rarely, up to a MiB,
 * the more often it had not. A count that another thread changes at the same time may be lost: it only says when to
 * look. */
static void sample(struct log *log, size_t size_b)
{
    size_t since_b = __atomic_load_n(&log->since_b, __ATOMIC_RELAXED) + size_b;

    if (__builtin_expect(since_b >= log->again_b, 0)) {
        int error = errno;

        since_b = 0;
        look_at_memory(log, false);
        errno = error;
    }
    __atomic_store_n(&log->since_b, since_b, __ATOMIC_RELAXED);
}

/* The place of a large object; with address 0, a free one where it may be put. NULL: there is none. */
static struct large *large_at(struct log *log, uintptr_t home, uintptr_t address)
{
    struct large *line = log->large[(home >> 4 ^ home >> 16) % LARGE_LINES];

    for (unsigned i = 0; i < LARGE_EACH; i++)
        if (__atomic_load_n(&line[i].address, __ATOMIC_RELAXED) == address)
            return &line[i];
    return NULL;
}

/* An object ends; if it is a large one, how much of it was touched? */
static void look_at_touched(struct log *log, uintptr_t address)
{
    struct large *large = large_at(log, address, address);
    int error = errno;
    size_t pages;

    if (__builtin_expect(!large, 1))
        return;
    sample(log, large->size_b); /* it was touched since it began */
    log->since_b -= large->size_b < log->since_b ? large->size_b : log->since_b;
    pages = amp_memory_resident(address, large->size_b);
    if (pages != SIZE_MAX)
        note(log, AMP_LOG_TOUCHED, address, pages, 0);
    __atomic_store_n(&large->address, 0, __ATOMIC_RELAXED);
    errno = error;
}

static void remember_large(struct log *log, uintptr_t address, size_t size_b)
{
    struct large *large = large_at(log, address, 0);

    if (!large)
        return;
    large->size_b = size_b;
    __atomic_store_n(&large->address, address, __ATOMIC_RELEASE);
}

/* What is never freed ends here, if the program ends by itself. */
__attribute__((destructor)) static void end_of_process(void)
{
    enum amp_doing before = amp_thread.doing;

    amp_thread.doing = AMP_LOOKING_UP;
    for (unsigned i = 0; recording && i < LARGE_LINES * LARGE_EACH; i++)
        if (recording->large[i / LARGE_EACH][i % LARGE_EACH].address)
            look_at_touched(recording, recording->large[i / LARGE_EACH][i % LARGE_EACH].address);
    if (recording)
        look_at_memory(recording, true);
    amp_thread.doing = before;
}

/* ---- The calls */

void amp_count_begin(const void *address, size_t size_b, const struct amp_caller *caller)
{
    static const enum amp_log_what whats[] = { [AMP_CALL_PLAIN] = AMP_LOG_MALLOC, [AMP_CALL_ZEROED] = AMP_LOG_CALLOC,
                                               [AMP_CALL_ALIGNED] = AMP_LOG_ALIGNED, [AMP_CALL_MOVED] = AMP_LOG_MOVED };
    struct log *log = log_of();
    unsigned alignment = 0;

    (void) caller;
    if (!log || amp_region_off)
        return;
    if (amp_thread.call == AMP_CALL_ALIGNED && amp_thread.alignment > 0)
        alignment = 63 - (unsigned) __builtin_clzll(amp_thread.alignment);
    note(log, whats[amp_thread.call], (uintptr_t) address, size_b, alignment); /* the first one looks at once */
    sample(log, size_b);
    if (__builtin_expect(size_b >= AMP_LOG_LARGE_B, 0))
        remember_large(log, (uintptr_t) address, size_b);
}

struct amp_object amp_count_end(const void *address, const struct amp_caller *caller)
{
    struct log *log = log_of();

    (void) caller;
    if (log && !amp_region_off) {
        look_at_touched(log, (uintptr_t) address);
        note(log, amp_thread.call == AMP_CALL_MOVED ? AMP_LOG_MOVE : AMP_LOG_FREE, (uintptr_t) address, 0, 0);
    }
    return (struct amp_object){ .address = (uintptr_t) address };
}

void amp_count_undo(const struct amp_object *object)
{
    struct log *log = log_of();

    if (log && !amp_region_off)
        note(log, AMP_LOG_STAYED, object->address, 0, 0);
}

void amp_count_missed(void)
{
    struct log *log = __atomic_load_n(&recording, __ATOMIC_ACQUIRE);

    if (log && !amp_region_off)
        note(log, AMP_LOG_LOST, 0, 0, 0);
}
