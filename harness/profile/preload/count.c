/* SPDX-License-Identifier: MIT */
#include "harness/profile/preload/count.h"

#include "harness/profile/preload/budget.h"
#include "harness/profile/preload/region.h"

#define DEEPEST 15 /* what the bits of `depth` hold */
#define SIZE_MOST (((uint64_t) 1 << 44) - 1) /* and of `size_b`: larger than any memory */

static uint64_t missed_early; /* by handlers, while the file was being made */

void amp_count_set(bool on)
{
    __atomic_store_n(&amp_region_off, !on, __ATOMIC_RELAXED);
}

static void add(uint64_t *to, uint64_t n)
{
    if (amp_single_threaded())
        *to += n;
    else
        __atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

/* Where a word of the stack lies, in 32 bits. */
static uint32_t pack(const struct amp_stack *stack, unsigned frame)
{
    return frame + 1 < stack->n ? (uint32_t) ((uintptr_t) stack->returns[frame].at / sizeof(uintptr_t)) : 0;
}

/* Whether the function still runs that found its return address at `packed`. It does if that word lies above the frames
 * of now, and holds what it held. */
static bool stands(uint32_t packed, uint64_t pc, const struct amp_caller *caller)
{
    int32_t words = (int32_t) (packed - (uint32_t) (caller->sp / sizeof(uintptr_t)));
    const uintptr_t *at = (const uintptr_t *) caller->sp + words;

    return packed && words >= 0 && (uintptr_t) at < amp_thread.high && *at == pc;
}

static uint16_t thread_id(void)
{
    static uint32_t n;

    if (!amp_thread.id)
        amp_thread.id = __atomic_add_fetch(&n, 1, __ATOMIC_RELAXED);
    return (uint16_t) amp_thread.id;
}

/* How long did it live? */
static void count_life(const struct amp_object *object, const struct amp_caller *caller)
{
    const struct amp_profile_site *site = amp_site_record(object->site);
    uint32_t frame;

    if (!site || !object->frame || object->thread != thread_id() || caller->sp < amp_thread.low ||
        caller->sp >= amp_thread.high)
        return;
    frame = object->depth;
    if (stands(object->frame, site->pcs[frame + 1], caller))
        add(&object->site->died_in_frame, 1);
    else if (frame + 2 < site->n && stands(object->caller, site->pcs[frame + 2], caller))
        add(&object->site->died_in_caller, 1);
}

static void forget(const struct amp_object *object)
{
    add(&object->site->freed_b, object->size_b);
    add(&object->site->frees, 1);
}

void amp_count_begin(const void *address, size_t size_b, const struct amp_caller *caller)
{
    struct amp_profile_head *head = amp_region_head();
    struct amp_object object = { (uintptr_t) address, .size_b = size_b & SIZE_MOST, .thread = thread_id() }, replaced;
    struct amp_stack scratch;
    struct amp_stack *stack;
    struct amp_site site;

    if (!head || amp_region_off)
        return;
    if (__builtin_expect(missed_early > 0, 0))
        add(&head->unrecorded, __atomic_exchange_n(&missed_early, 0, __ATOMIC_RELAXED));
    stack = amp_stack_walk(caller, &scratch);
    site = amp_site_of(stack, size_b);
    add(&site.counts->bytes, size_b);
    add(&site.counts->allocs, 1);
    if (amp_thread.budget)
        amp_budget_count(amp_thread.budget, site.counts, size_b);
    object.site = site.counts;
    if (site.frame <= DEEPEST) {
        object.depth = site.frame & DEEPEST;
        object.frame = pack(stack, site.frame);
        object.caller = pack(stack, site.frame + 1);
    }
    if (!amp_live_add(&object, &replaced))
        add(&head->untracked, 1);
    else if (replaced.address)
        forget(&replaced);
}

struct amp_object amp_count_end(const void *address, const struct amp_caller *caller)
{
    struct amp_object object = amp_live_remove((uintptr_t) address);

    if (object.address) {
        count_life(&object, caller);
        forget(&object);
    }
    return object;
}

/* How long it lived was counted, and stays so: a program that goes on without memory is judged by what it had. */
void amp_count_undo(const struct amp_object *object)
{
    struct amp_object replaced;

    if (!object->address)
        return;
    add(&object->site->freed_b, (uint64_t) - (int64_t) object->size_b);
    add(&object->site->frees, (uint64_t) -1);
    if (!amp_live_add(object, &replaced))
        add(&amp_region_head()->untracked, 1);
}

void amp_count_failed(void)
{
    if (amp_region_head() && !amp_region_off)
        add(&amp_region_head()->failed, 1);
}

void amp_count_missed(void)
{
    struct amp_profile_head *head = amp_region_head_made();
    uint64_t *count = head ? &head->unrecorded : &missed_early;

    if (!amp_region_off)
        __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}
