/* SPDX-License-Identifier: MIT */
#include "harness/profile/preload/count.h"

#include "harness/profile/preload/budget.h"
#include "harness/profile/preload/sampling.h"
#include "harness/profile/record/live.h"
#include "harness/profile/record/region.h"
#include "harness/profile/unwind/seen.h"

#include <errno.h>

#define HOT static inline __attribute__((__always_inline__))

static AMP_HOT uint64_t missed_early; /* by handlers, while the file was being made */

void amp_count_set(bool on)
{
    amp_region_head();
    __atomic_store_n(&amp_region_off, !on, __ATOMIC_RELAXED);
}

/* `alone`: in a process with one thread. */
HOT void add(uint64_t *to, uint64_t n, bool alone)
{
    if (alone)
        *to += n;
    else
        __atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

/* Whether the function still runs that found its return address there. It does if that word lies above the frames of
 * now, and holds what it held. */
HOT bool stands(struct amp_birth_place place, const struct amp_caller *caller)
{
    int32_t words = (int32_t) (place.packed - (uint32_t) (caller->sp / sizeof(uintptr_t)));
    const uintptr_t *at = (const uintptr_t *) caller->sp + words;

    return place.packed && words >= 0 && (uintptr_t) at < amp_thread.high && (uint32_t) *at == place.lower;
}

HOT struct amp_profile_counts *counts_of(const struct amp_birth *birth)
{
    return birth->site ? &birth->site->counts : &amp_region_head()->lost;
}

HOT uint64_t bytes_of(const struct amp_birth *birth)
{
    return birth->size_b * birth->weight;
}

/* How long did it live? */
HOT void count_life(const struct amp_birth *birth, const struct amp_caller *caller, bool alone)
{
    if (!birth->frame.packed || caller->sp < amp_thread.low || caller->sp >= amp_thread.high)
        return;
    if (stands(birth->frame, caller))
        add(&birth->site->counts.died_in_frame, birth->weight, alone);
    else if (stands(birth->caller, caller))
        add(&birth->site->counts.died_in_caller, birth->weight, alone);
}

HOT void forget(const struct amp_birth *birth, bool alone)
{
    struct amp_profile_counts *counts = counts_of(birth);

    add(&counts->freed_b, bytes_of(birth), alone);
    add(&counts->frees, birth->weight, alone);
}

/* Remember an object. True: its address was not known. */
HOT bool track(const void *address, const struct amp_birth *birth, bool alone)
{
    uint32_t replaced;

    if (!amp_live_add((uintptr_t) address, birth->number, &replaced)) {
        add(&amp_region_head()->untracked, birth->weight, alone);
        return false;
    }
    if (replaced)
        forget(amp_birth_at(replaced), alone);
    return !replaced;
}

HOT bool begin(const void *address, const struct amp_birth *birth)
{
    struct amp_profile_counts *counts = counts_of(birth);
    const bool alone = amp_single_threaded();

    add(&counts->bytes, bytes_of(birth), alone);
    add(&counts->allocs, birth->weight, alone);
    if (__builtin_expect(amp_thread.budget != NULL, 0))
        amp_budget_count(amp_thread.budget, birth->site, birth->size_b);
    return track(address, birth, alone);
}

/* What is sampled is not noted: it would then be found without being drawn. */
static const struct amp_birth *find_birth(size_t size_b, uint32_t weight, const struct amp_caller *caller,
                                          const struct amp_stack *stack)
{
    const struct amp_birth *birth;
    struct amp_stack_room room;

    if (!stack)
        stack = amp_seen_walk(caller, &room);
    birth = amp_birth_of(stack, size_b, weight);
    if (birth && stack != &room.stack && !amp_region_sample_b)
        *amp_seen_note(stack, size_b) = (struct amp_note){ stack, (void *) (uintptr_t) birth };
    return birth;
}

/* By a stack that the thread has not had lately (NULL), or with such a size; or the first of all, after which
 * amp_region_off is known. The caller comes in registers: else each allocation would store it. */
__attribute__((__noinline__)) static void begin_new(const void *address, size_t size_b, const struct amp_stack *stack,
                                                    uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    const struct amp_caller caller = { pc, sp, fp };
    int error = errno; /* here are system calls that may fail */
    struct amp_profile_head *head = amp_region_head();
    const uint32_t weight = head && !amp_region_off ? amp_sampling_weight(size_b) : 0;

    if (weight > 0) {
        const struct amp_birth *birth = find_birth(size_b, weight, &caller, stack);

        if (missed_early > 0)
            add(&head->unrecorded, __atomic_exchange_n(&missed_early, 0, __ATOMIC_RELAXED), false);
        if (amp_region_sample_b)
            add(&head->sampled, 1, false);
        if (!birth) {
            add(&head->lost.bytes, size_b * weight, false);
            add(&head->lost.allocs, weight, false);
            add(&head->untracked, weight, false);
        } else if (begin(address, birth) && amp_region_sample_b) {
            amp_sampling_mark(address, 1);
        }
    }
    errno = error;
}

/* By another size than the last one from this stack; NULL: there is no note of that. */
HOT const struct amp_birth *find_noted(struct amp_seen_stack *seen, size_t size_b)
{
    const struct amp_note *note = amp_seen_note(seen->stack, size_b);
    const struct amp_birth *birth = note->stack == seen->stack ? note->value : NULL;

    if (!birth || birth->size_b != size_b)
        return NULL;
    if (!seen->last)
        seen->last = note->value;
    return birth;
}

void amp_count_begin(const void *address, size_t size_b, const struct amp_caller *caller)
{
    struct amp_seen_stack *seen = amp_seen_find(caller);
    const struct amp_birth *birth = seen ? seen->last : NULL;

    if (seen && (!birth || birth->size_b != size_b))
        birth = find_noted(seen, size_b);
    if (__builtin_expect(!birth || amp_region_off || missed_early > 0, 0))
        begin_new(address, size_b, seen ? seen->stack : NULL, caller->pc, caller->sp, caller->fp);
    else
        begin(address, birth);
}

struct amp_object amp_count_end(const void *address, const struct amp_caller *caller)
{
    uint32_t number = amp_live_remove((uintptr_t) address);
    struct amp_object object = { (uintptr_t) address, number ? amp_birth_at(number) : NULL };

    if (object.birth) {
        const bool alone = amp_single_threaded();

        count_life(object.birth, caller, alone);
        forget(object.birth, alone);
        if (amp_region_sample_b)
            amp_sampling_mark(address, -1);
    }
    return object;
}

/* How long it lived was counted, and stays so: a program that goes on without memory is judged by what it had. */
void amp_count_undo(const struct amp_object *object)
{
    struct amp_profile_counts *counts;

    if (!object->birth)
        return;
    counts = counts_of(object->birth);
    add(&counts->freed_b, -bytes_of(object->birth), false);
    add(&counts->frees, -(uint64_t) object->birth->weight, false);
    if (track((const void *) object->address, object->birth, false) && amp_region_sample_b)
        amp_sampling_mark((const void *) object->address, 1);
}

void amp_count_failed(void)
{
    if (amp_region_head() && !amp_region_off)
        add(&amp_region_head()->failed, 1, false);
}

void amp_count_missed(void)
{
    struct amp_profile_head *head = amp_region_head_made();
    uint64_t *count = head ? &head->unrecorded : &missed_early;

    if (!amp_region_off)
        __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}
