/* SPDX-License-Identifier: MIT
 *
 * C++'s operators, by the names that its compilers give them. Those of libstdc++ and libc++ call malloc(), which counts;
 * those of jemalloc, mimalloc and tcmalloc do not, and are counted here. */
#include "harness/profile/preload/call.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* A next operator, as far as it is known. */
struct operator {
    void *function;
    enum { UNKNOWN, CALLS_MALLOC, ALLOCATES, HIDDEN } kind; /* HIDDEN: the C++ library came with a plugin */
};

static void find(const char *name, struct operator *out)
{
    enum amp_doing before = amp_thread.doing;
    Dl_info info;

    out->function = amp_real_next(name);
    out->kind = HIDDEN;
    if (!out->function)
        return;
    amp_thread.doing = AMP_LOOKING_UP;
    out->kind = ALLOCATES;
    if (dladdr(out->function, &info) && info.dli_fname &&
        (strstr(info.dli_fname, "/libstdc++.so") || strstr(info.dli_fname, "/libc++.so")))
        out->kind = CALLS_MALLOC;
    amp_thread.doing = before;
}

/* Stands for a reference to std::nothrow, which no allocator reads. */
static const char nothrow_of_ours;

/* By an operator that does not throw: an exception must not pass by here. */
__attribute__((__noinline__)) static void *count(void *(*real)(size_t, const void *), size_t size,
                                                 const struct amp_caller *caller)
{
    return amp_call_done(real(size, &nothrow_of_ours), size, caller);
}

__attribute__((__noinline__)) static void *count_aligned(void *(*real)(size_t, size_t, const void *), size_t size,
                                                         size_t alignment, const struct amp_caller *caller)
{
    void *p = real(size, alignment, &nothrow_of_ours);

    amp_thread.call = AMP_CALL_ALIGNED;
    amp_thread.alignment = alignment;
    amp_call_done(p, size, caller);
    amp_thread.call = AMP_CALL_PLAIN;
    return p;
}

/* Without an operator that could be called: what it would do, but for the exception. */
__attribute__((__noinline__)) static void *by_malloc(size_t size, size_t alignment, const struct amp_caller *caller)
{
    void *p = NULL;

    if (!amp_call_enter())
        return amp_real.malloc(size);
    if (alignment <= 16)
        p = amp_real.malloc(size > 0 ? size : 1);
    else if (amp_real.posix_memalign(&p, alignment, size))
        p = NULL;
    return amp_call_done(p, size, caller);
}

/* The plain operator jumps to the real one where that calls malloc(), so that no frame of ours is on the stack, and where
 * there is no memory, so that it throws. */
#define NEW(name, parameters, arguments, count_it, alignment, throws)                                                  \
    void *name parameters;                                                                                             \
    AMP_EXPORTED void *name parameters                                                                                 \
    {                                                                                                                  \
        typedef void *function parameters;                                                                             \
        static struct operator plain, silent;                                                                          \
                                                                                                                       \
        if (!amp_real_ready())                                                                                         \
            return amp_real_early(size);                                                                               \
        if (plain.kind == UNKNOWN)                                                                                     \
            find(#name, &plain);                                                                                       \
        if (plain.kind == ALLOCATES && silent.kind == UNKNOWN)                                                         \
            find(throws ? #name "RKSt9nothrow_t" : #name, &silent);                                                    \
        if (plain.kind == ALLOCATES && silent.function && !amp_sampling_passes(size) && amp_call_enter()) {            \
            struct amp_caller caller = AMP_CALLER();                                                                   \
            void *p = count_it;                                                                                        \
                                                                                                                       \
            if (p || !throws)                                                                                          \
                return p;                                                                                              \
        }                                                                                                              \
        if (plain.kind == HIDDEN) {                                                                                    \
            struct amp_caller caller = AMP_CALLER();                                                                   \
            void *p = by_malloc(size, alignment, &caller);                                                             \
                                                                                                                       \
            if (!p && throws)                                                                                          \
                abort(); /* nobody is there who would throw */                                                         \
            return p;                                                                                                  \
        }                                                                                                              \
        return ((function *) plain.function) arguments;                                                                \
    }

#define PLAIN count(silent.function, size, &caller)
#define ALIGNED count_aligned(silent.function, size, alignment, &caller)
NEW(_Znwm, (size_t size), (size), PLAIN, 0, true)
NEW(_Znam, (size_t size), (size), PLAIN, 0, true)
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow), PLAIN, 0, false)
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow), PLAIN, 0, false)
NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment), ALIGNED, alignment, true)
NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment), ALIGNED, alignment, true)
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *nothrow),
    (size, alignment, nothrow), ALIGNED, alignment, false)
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *nothrow),
    (size, alignment, nothrow), ALIGNED, alignment, false)

/* The forms with a size, an alignment or nothrow mean the same to every allocator but may be faster. */
#define DELETE(name, plain, parameters)                                                                                \
    void name parameters;                                                                                              \
    AMP_EXPORTED void name parameters                                                                                  \
    {                                                                                                                  \
        typedef void function(void *);                                                                                 \
        static struct operator real;                                                                                   \
        struct amp_caller caller = AMP_CALLER();                                                                       \
                                                                                                                       \
        if (!amp_real_ready())                                                                                         \
            return;                                                                                                    \
        if (real.kind == UNKNOWN)                                                                                      \
            find(plain, &real);                                                                                        \
        amp_call_free(p, &caller, real.kind == ALLOCATES ? (function *) real.function : amp_real.free);                \
    }

DELETE(_ZdlPv, "_ZdlPv", (void *p))
DELETE(_ZdaPv, "_ZdaPv", (void *p))
DELETE(_ZdlPvm, "_ZdlPv", (void *p, size_t size __attribute__((__unused__))))
DELETE(_ZdaPvm, "_ZdaPv", (void *p, size_t size __attribute__((__unused__))))
DELETE(_ZdlPvRKSt9nothrow_t, "_ZdlPv", (void *p, const void *nothrow __attribute__((__unused__))))
DELETE(_ZdaPvRKSt9nothrow_t, "_ZdaPv", (void *p, const void *nothrow __attribute__((__unused__))))
DELETE(_ZdlPvSt11align_val_t, "_ZdlPv", (void *p, size_t alignment __attribute__((__unused__))))
DELETE(_ZdaPvSt11align_val_t, "_ZdaPv", (void *p, size_t alignment __attribute__((__unused__))))
DELETE(_ZdlPvmSt11align_val_t, "_ZdlPv", (void *p, size_t size __attribute__((__unused__)),
                                          size_t alignment __attribute__((__unused__))))
DELETE(_ZdaPvmSt11align_val_t, "_ZdaPv", (void *p, size_t size __attribute__((__unused__)),
                                          size_t alignment __attribute__((__unused__))))
