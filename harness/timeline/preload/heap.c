/* SPDX-License-Identifier: MIT
 *
 * Allocations from a size on, and what lives on the heap: what harness/profile/preload does in front of the program's
 * allocator is put on the time line here. What lives is counted as the allocator has it, its own rounding included. */
#include "harness/profile/preload/count.h"
#include "harness/timeline/preload/callers.h"
#include "harness/timeline/preload/ring.h"
#include "harness/timeline/preload/write.h"

#include <malloc.h>
#include <stdlib.h>

static uint64_t above_b = UINT64_MAX; /* until it is known: nothing is recorded */
static uint64_t live_b, told_b;

void amp_count_set(bool on)
{
    (void) on;
}

void amp_count_missed(void)
{
}

void amp_count_failed(void)
{
    AMP_NOTE(AMP_MARK_POINT, "no memory", 0);
}

__attribute__((constructor)) static void begin(void)
{
    const char *above = getenv(AMP_RING_ABOVE);

    if (above)
        above_b = strtoull(above, NULL, 10);
}

/* What lives, where it has changed by an allocation's size that is of interest. */
static void tell(uint64_t now_b)
{
    uint64_t before_b = __atomic_load_n(&told_b, __ATOMIC_RELAXED);
    uint64_t change_b = now_b > before_b ? now_b - before_b : before_b - now_b;

    if (change_b < above_b || change_b == 0)
        return;
    __atomic_store_n(&told_b, now_b, __ATOMIC_RELAXED);
    AMP_NOTE(AMP_MARK_COUNT, "heap, bytes", now_b);
}

#define NOTE_FROM(name, value, stack)                                                                                  \
    do {                                                                                                               \
        static struct amp_mark note_here = { name, 0 };                                                                \
                                                                                                                       \
        amp_ring_write_from(&note_here, AMP_MARK_POINT, value, stack);                                                 \
    } while (0)

static void note(size_t size_b, const struct amp_caller *caller)
{
    uint32_t stack = amp_callers_number(caller);

    switch (amp_thread.call) {
    case AMP_CALL_ZEROED:
        NOTE_FROM("calloc", size_b, stack);
        break;
    case AMP_CALL_ALIGNED:
        NOTE_FROM("aligned_alloc", size_b, stack);
        break;
    case AMP_CALL_MOVED:
        NOTE_FROM("realloc", size_b, stack);
        break;
    case AMP_CALL_PLAIN:
        NOTE_FROM("malloc", size_b, stack);
        break;
    }
}

void amp_count_begin(const void *address, size_t size_b, const struct amp_caller *caller)
{
    uint64_t granted_b = malloc_usable_size((void *) (uintptr_t) address);
    uint64_t now_b = __atomic_add_fetch(&live_b, granted_b, __ATOMIC_RELAXED);

    if (size_b >= above_b)
        note(size_b, caller);
    tell(now_b);
}

struct amp_object amp_count_end(const void *address, const struct amp_caller *caller)
{
    uint64_t granted_b = malloc_usable_size((void *) (uintptr_t) address);
    uint64_t now_b = __atomic_sub_fetch(&live_b, granted_b, __ATOMIC_RELAXED);

    if (granted_b >= above_b && amp_thread.call != AMP_CALL_MOVED)
        NOTE_FROM("free", granted_b, amp_callers_number(caller));
    tell(now_b);
    return (struct amp_object){ .address = (uintptr_t) address };
}

void amp_count_undo(const struct amp_object *object)
{
    __atomic_add_fetch(&live_b, malloc_usable_size((void *) object->address), __ATOMIC_RELAXED);
}
