/* SPDX-License-Identifier: MIT
 *
 * The calls that allocate, in front of the program's allocator. What that one calls in turn belongs to the call that is
 * counted. An object is forgotten before it is freed: its address may belong to another thread's object right after. */
#include "harness/profile/preload/call.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_B 4096

void *pvalloc(size_t size); /* not in every malloc.h */

void *amp_call_done(void *p, size_t size_b, const struct amp_caller *caller)
{
    amp_thread.doing = AMP_COUNTING;
    if (p)
        amp_count_begin(p, size_b, caller);
    else
        amp_count_failed();
    amp_thread.doing = AMP_OUTSIDE;
    return p;
}

/* From an allocating call with this body: the real one, counted if it is the program's and not passed over. */
#define COUNTED(call, size_b)                                                                                          \
    struct amp_caller caller = AMP_CALLER();                                                                           \
    if (amp_sampling_passes(size_b) || !amp_call_enter())                                                              \
        return call;                                                                                                   \
    return amp_call_done(call, size_b, &caller)

/* The same for a call that is not like malloc(). */
#define COUNTED_AS(which, aligned_to, real, size_b)                                                                    \
    struct amp_caller caller = AMP_CALLER();                                                                           \
    void *p;                                                                                                           \
                                                                                                                       \
    if (amp_sampling_passes(size_b) || !amp_call_enter())                                                              \
        return real;                                                                                                   \
    p = real;                                                                                                          \
    amp_thread.call = which;                                                                                           \
    amp_thread.alignment = aligned_to;                                                                                 \
    amp_call_done(p, size_b, &caller);                                                                                 \
    amp_thread.call = AMP_CALL_PLAIN;                                                                                  \
    return p

/* Most calls are these two: without a call of ours on the way. */
#define AMP_FLAT __attribute__((__flatten__))

AMP_EXPORTED AMP_FLAT void *malloc(size_t size)
{
    if (!amp_real_ready())
        return amp_real_early(size);
    COUNTED(amp_real.malloc(size), size);
}

AMP_EXPORTED void *calloc(size_t n, size_t size)
{
    if (!amp_real_ready())
        return amp_real_early(n * size);
    COUNTED_AS(AMP_CALL_ZEROED, 0, amp_real.calloc(n, size), n * size);
}

AMP_EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    if (!amp_real_ready() || !amp_real.aligned_alloc)
        return NULL;
    COUNTED_AS(AMP_CALL_ALIGNED, alignment, amp_real.aligned_alloc(alignment, size), size);
}

AMP_EXPORTED void *memalign(size_t alignment, size_t size)
{
    if (!amp_real_ready() || !amp_real.memalign)
        return NULL;
    COUNTED_AS(AMP_CALL_ALIGNED, alignment, amp_real.memalign(alignment, size), size);
}

AMP_EXPORTED void *valloc(size_t size)
{
    if (!amp_real_ready() || !amp_real.valloc)
        return NULL;
    COUNTED_AS(AMP_CALL_ALIGNED, PAGE_B, amp_real.valloc(size), size);
}

AMP_EXPORTED void *pvalloc(size_t size)
{
    if (!amp_real_ready() || !amp_real.pvalloc)
        return NULL;
    COUNTED_AS(AMP_CALL_ALIGNED, PAGE_B, amp_real.pvalloc(size), size);
}

AMP_EXPORTED int posix_memalign(void **out, size_t alignment, size_t size)
{
    struct amp_caller caller = AMP_CALLER();
    int error;

    if (!amp_real_ready() || !amp_real.posix_memalign)
        return ENOMEM;
    if (amp_sampling_passes(size) || !amp_call_enter())
        return amp_real.posix_memalign(out, alignment, size);
    error = amp_real.posix_memalign(out, alignment, size);
    amp_thread.doing = AMP_OUTSIDE;
    amp_thread.call = AMP_CALL_ALIGNED;
    amp_thread.alignment = alignment;
    if (error == 0 && *out)
        amp_call_done(*out, size, &caller);
    else if (error == ENOMEM)
        amp_call_done(NULL, size, &caller);
    amp_thread.call = AMP_CALL_PLAIN;
    return error;
}

static void *reallocate(void *p, size_t size, const struct amp_caller *caller)
{
    const bool passes = amp_sampling_passes(size);
    struct amp_object object;
    void *moved;

    if ((passes && !amp_sampling_may_know(p)) || !amp_call_enter())
        return amp_real.realloc(p, size);
    amp_thread.doing = AMP_COUNTING;
    amp_thread.call = AMP_CALL_MOVED;
    object = amp_count_end(p, caller);
    amp_thread.doing = AMP_IN_CALL;
    moved = amp_real.realloc(p, size);
    if (!passes && (moved || size > 0))
        amp_call_done(moved, size, caller);
    amp_thread.doing = AMP_COUNTING;
    if (!moved && size > 0)
        amp_count_undo(&object);
    amp_thread.call = AMP_CALL_PLAIN;
    amp_thread.doing = AMP_OUTSIDE;
    return moved;
}

/* What the loader got early lies in no heap. */
static void *reallocate_early(const void *p, size_t size)
{
    void *moved = amp_real.malloc(size);
    size_t most = amp_real_early_behind(p);

    if (moved)
        memcpy(moved, p, size < most ? size : most);
    return moved;
}

AMP_EXPORTED void *realloc(void *p, size_t size)
{
    struct amp_caller caller = AMP_CALLER();

    if (!amp_real_ready())
        return NULL;
    if (!p) {
        if (amp_sampling_passes(size) || !amp_call_enter())
            return amp_real.realloc(NULL, size);
        return amp_call_done(amp_real.realloc(NULL, size), size, &caller);
    }
    if (amp_real_is_early(p))
        return reallocate_early(p, size);
    return reallocate(p, size, &caller);
}

AMP_EXPORTED void *reallocarray(void *p, size_t n, size_t size)
{
    struct amp_caller caller = AMP_CALLER();
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes) || !amp_real_ready()) {
        errno = ENOMEM;
        return NULL;
    }
    if (!p) {
        if (amp_sampling_passes(bytes) || !amp_call_enter())
            return amp_real.realloc(NULL, bytes);
        return amp_call_done(amp_real.realloc(NULL, bytes), bytes, &caller);
    }
    return reallocate(p, bytes, &caller);
}

void amp_call_free(void *p, const struct amp_caller *caller, void (*give_back)(void *))
{
    if (!p || amp_real_is_early(p))
        return;
    if (!amp_sampling_may_know(p) || !amp_call_enter()) {
        give_back(p);
        return;
    }
    amp_thread.doing = AMP_COUNTING;
    amp_count_end(p, caller);
    amp_thread.doing = AMP_IN_CALL;
    give_back(p);
    amp_thread.doing = AMP_OUTSIDE;
}

AMP_EXPORTED AMP_FLAT void free(void *p)
{
    struct amp_caller caller = AMP_CALLER();

    if (amp_real_ready())
        amp_call_free(p, &caller, amp_real.free);
}

/* What is unloaded frees its place for another library. */
AMP_EXPORTED int dlclose(void *library)
{
    int error;

    if (!amp_real_ready() || !amp_real.dlclose)
        return -1;
    error = amp_real.dlclose(library);
    amp_sites_forget();
    amp_stack_forget(); /* last: a stack that is remembered keeps its site */
    return error;
}

AMP_EXPORTED void amp_profile_count(int on)
{
    amp_count_set(on);
}
