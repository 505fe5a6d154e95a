/* SPDX-License-Identifier: MIT
 *
 * Count allocations exactly, by hooks in jemalloc.
 *
 *     program --malloc()--> jemalloc --on_alloc()----> the totals below
 *             --free()----> jemalloc --on_dalloc()-->      "
 *             --realloc()-> jemalloc --on_expand() in place, or on_alloc() and then on_dalloc()
 *                              `------> its own memory (a thread's cache): no hook, so never counted
 *
 * An alloc hook runs after the allocation, a dalloc hook before the free. So sallocx() is valid in both, and the total
 * of live bytes is never too large. A realloc that fails or asks for 0 bytes calls no alloc hook. One that stays within
 * its class calls on_expand() with the same size twice.
 *
 * Hooks are installed only between begin and end: meanwhile no thread can take malloc's fast path. They allocate
 * nothing, take no lock and do not change errno. */
#include "harness/measure/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <jemalloc/jemalloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* jemalloc's private struct hooks_s and enum hook_alloc_e, 5.1 to 5.3. probe() checks the order before it is used: it
 * asks for odd sizes through each call and expects to see them in the hook. */
struct hooks {
    void (*alloc)(void *extra, int type, void *result, uintptr_t result_raw, uintptr_t args_raw[3]);
    void (*dalloc)(void *extra, int type, void *address, uintptr_t args_raw[3]);
    void (*expand)(void *extra, int type, void *address, size_t old_usize, size_t new_usize, uintptr_t result_raw,
                   uintptr_t args_raw[4]);
    void *extra;
};

enum hook_alloc {
    HOOK_MALLOC,
    HOOK_POSIX_MEMALIGN,
    HOOK_ALIGNED_ALLOC,
    HOOK_CALLOC,
    HOOK_MEMALIGN,
    HOOK_VALLOC,
    HOOK_MALLOCX,
    HOOK_REALLOC,
    HOOK_RALLOCX,
};

static struct {
    atomic_uint_fast64_t allocs, frees, asked_b, granted_b;
    atomic_int_fast64_t live_b, peak_b; /* since the begin; below 0 if older blocks are freed */
    atomic_uint_fast64_t by_class[AMP_HEAP_CLASSES];
} totals;

static size_t class_b[AMP_HEAP_CLASSES]; /* ascending; filled once, by read_classes() */
static size_t n_classes;
static void *installed;        /* jemalloc's handle, NULL outside begin and end */
static bool background_thread; /* jemalloc's setting, restored at the end */

static size_t class_index(size_t granted_b)
{
    size_t low = 0, high = n_classes - 1;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (class_b[middle] < granted_b)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void change_live(int64_t by)
{
    int_fast64_t live = atomic_fetch_add(&totals.live_b, by) + by;
    int_fast64_t peak = atomic_load(&totals.peak_b);

    while (live > peak && !atomic_compare_exchange_weak(&totals.peak_b, &peak, live))
        continue;
}

static void count_alloc(size_t asked_b, size_t granted_b)
{
    atomic_fetch_add(&totals.allocs, 1);
    atomic_fetch_add(&totals.asked_b, asked_b);
    atomic_fetch_add(&totals.granted_b, granted_b);
    atomic_fetch_add(&totals.by_class[class_index(granted_b)], 1);
}

static size_t asked_by(int type, const uintptr_t args_raw[3])
{
    switch ((enum hook_alloc) type) {
    case HOOK_MALLOC:
    case HOOK_VALLOC:
    case HOOK_MALLOCX:
        return args_raw[0];
    case HOOK_CALLOC:
        return args_raw[0] * args_raw[1]; /* did not overflow: the call succeeded */
    case HOOK_POSIX_MEMALIGN:
        return args_raw[2];
    case HOOK_ALIGNED_ALLOC:
    case HOOK_MEMALIGN:
    case HOOK_REALLOC:
    case HOOK_RALLOCX:
        return args_raw[1];
    }
    return 0; /* a call that jemalloc 5 does not have; probe() finds a shifted order */
}

static void on_alloc(void *extra, int type, void *result, uintptr_t result_raw, uintptr_t args_raw[3])
{
    (void) extra;
    if (result == NULL)
        return;
    if (type == HOOK_POSIX_MEMALIGN && result_raw != 0)
        return; /* failed: `result` is whatever the caller's pointer held before */

    size_t granted_b = sallocx(result, 0);
    count_alloc(asked_by(type, args_raw), granted_b);
    change_live((int64_t) granted_b);
}

static void on_dalloc(void *extra, int type, void *address, uintptr_t args_raw[3])
{
    (void) extra;
    (void) type;
    (void) args_raw;
    atomic_fetch_add(&totals.frees, 1);
    change_live(-(int64_t) sallocx(address, 0));
}

static void on_expand(void *extra, int type, void *address, size_t old_usize, size_t new_usize, uintptr_t result_raw,
                      uintptr_t args_raw[4])
{
    (void) extra;
    (void) type;
    (void) address;
    (void) result_raw;
    if (old_usize == new_usize)
        return;
    count_alloc(args_raw[1], new_usize); /* realloc, rallocx and xallocx: the pointer, then the size */
    atomic_fetch_add(&totals.frees, 1);
    change_live((int64_t) new_usize - (int64_t) old_usize);
}

static int install(void)
{
    struct hooks hooks = { on_alloc, on_dalloc, on_expand, NULL };
    size_t len = sizeof(installed);

    atomic_store(&totals.allocs, 0);
    atomic_store(&totals.frees, 0);
    atomic_store(&totals.asked_b, 0);
    atomic_store(&totals.granted_b, 0);
    atomic_store(&totals.live_b, 0);
    atomic_store(&totals.peak_b, 0);
    for (size_t i = 0; i < n_classes; i++)
        atomic_store(&totals.by_class[i], 0);
    return -mallctl("experimental.hooks.install", &installed, &len, &hooks, sizeof(hooks));
}

static int uninstall(void)
{
    int err = mallctl("experimental.hooks.remove", NULL, NULL, &installed, sizeof(installed));

    if (err == 0)
        installed = NULL;
    return -err;
}

/* Append the sizes of one kind of class: "bin" up to 14 KiB, "lextent" above. */
static int read_classes_of(const char *kind)
{
    char name[64];
    unsigned n;
    size_t len = sizeof(n);

    snprintf(name, sizeof(name), "arenas.n%ss", kind);
    int err = mallctl(name, &n, &len, NULL, 0);
    if (err != 0)
        return -err;
    if (n > AMP_HEAP_CLASSES - n_classes)
        return -E2BIG;
    for (unsigned i = 0; i < n; i++) {
        len = sizeof(class_b[0]);
        snprintf(name, sizeof(name), "arenas.%s.%u.size", kind, i);
        err = mallctl(name, &class_b[n_classes], &len, NULL, 0);
        if (err != 0)
            return -err;
        n_classes++;
    }
    return 0;
}

static int read_classes(void)
{
    int err = read_classes_of("bin");

    return err != 0 ? err : read_classes_of("lextent");
}

/* Call malloc, its relatives and free, and say whether the hooks saw every call. Under a sanitizer, or with another
 * allocator preloaded, mallctl() works although jemalloc never serves malloc; this finds that out. */
static bool probe(void)
{
    void *p[4] = { malloc(3), calloc(5, 7), aligned_alloc(64, 192), NULL };

    if (posix_memalign(&p[3], 32, 1001) != 0)
        p[3] = NULL;
    void *moved = realloc(p[0], 5003);
    if (moved != NULL)
        p[0] = moved;
    for (size_t i = 0; i < 4; i++) {
        __asm__ volatile("" : : "r"(p[i]) : "memory"); /* or the compiler removes the calls */
        free(p[i]);
    }
    return atomic_load(&totals.allocs) == 5 && atomic_load(&totals.frees) == 5 &&
           atomic_load(&totals.asked_b) == 3 + 5 * 7 + 192 + 1001 + 5003 && atomic_load(&totals.live_b) == 0;
}

/* The first of malloc's family that another library has taken over from jemalloc, and that library in *out; NULL if
 * none. Counts would miss what that library keeps for itself. Found by dlsym(), since &malloc is the program's own jump
 * table in a program without PIE. */
static const char *stray(Dl_info *out)
{
    static const char *const family[] = { "malloc",        "calloc",         "realloc",  "free",
                                          "aligned_alloc", "posix_memalign", "memalign", "valloc" };
    Dl_info jemalloc;
    void *at = dlsym(RTLD_DEFAULT, "mallctl");
    void *library = at && dladdr(at, &jemalloc) ? dlopen(jemalloc.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    const char *found = NULL;

    for (size_t i = 0; i < sizeof(family) / sizeof(family[0]) && library && !found; i++) {
        void *used = dlsym(RTLD_DEFAULT, family[i]), *own = dlsym(library, family[i]);

        if (own && used && dladdr(used, out) && out->dli_fbase != jemalloc.dli_fbase)
            found = family[i];
    }
    if (library)
        dlclose(library);
    return found;
}

static const char *whose(const char *call, const Dl_info *library)
{
    static char text[512];

    snprintf(text, sizeof(text), "%s is that of %s, not of jemalloc", call, library->dli_fname);
    return text;
}

static int look(const char **why)
{
    bool profiles = false;
    size_t len = sizeof(profiles);
    Dl_info library = { 0 };
    const char *call = stray(&library);

    if (call) {
        *why = whose(call, &library);
        return -ENOTSUP;
    }
    if (mallctl("opt.prof", &profiles, &len, NULL, 0) == 0 && profiles) {
        *why = "jemalloc's profiler (prof:true) moves allocations to other size classes: count in a child without it";
        return -ENOTSUP;
    }
    if (read_classes() != 0) {
        *why = "this jemalloc does not tell its size classes";
        return -ENOTSUP;
    }
    if (install() != 0) {
        *why = "this jemalloc has no experimental.hooks.install, or all its hooks are taken";
        return -ENOTSUP;
    }
    bool seen = probe();
    if (uninstall() != 0) {
        *why = "this jemalloc does not remove its hooks again";
        return -ENOTSUP;
    }
    if (!seen) {
        *why = "jemalloc does not see malloc as it was called: replaced at run time, as valgrind does, or a jemalloc "
               "whose hooks differ from those of 5.3";
        return -ENOTSUP;
    }
    return 0;
}

int amp_heap_available(const char **why)
{
    static bool looked;
    static int status;
    static const char *reason = "";

    if (!looked) {
        status = look(&reason);
        looked = true;
    }
    if (why != NULL)
        *why = reason;
    return status;
}

static void set_background_thread(bool on)
{
    mallctl("background_thread", NULL, NULL, &on, sizeof(on));
}

int amp_heap_begin(void)
{
    if (installed != NULL)
        return -EBUSY;

    int err = amp_heap_available(NULL);
    if (err != 0)
        return err;

    size_t len = sizeof(background_thread);
    if (mallctl("background_thread", &background_thread, &len, NULL, 0) != 0)
        background_thread = false;
    if (background_thread) /* off while we count: it may start at any time, and allocates */
        set_background_thread(false);
    err = install();
    if (err != 0 && background_thread)
        set_background_thread(true);
    return err;
}

int amp_heap_end(struct amp_heap *out)
{
    if (installed == NULL)
        return -EINVAL;

    int err = uninstall();
    if (err != 0)
        return err;
    if (background_thread)
        set_background_thread(true);
    out->allocs = atomic_load(&totals.allocs);
    out->frees = atomic_load(&totals.frees);
    out->asked_b = atomic_load(&totals.asked_b);
    out->granted_b = atomic_load(&totals.granted_b);
    out->peak_b = (uint64_t) atomic_load(&totals.peak_b); /* begins at 0 and only rises */
    out->n_classes = 0;
    for (size_t i = 0; i < n_classes; i++) {
        uint64_t allocs = atomic_load(&totals.by_class[i]);

        if (allocs > 0)
            out->classes[out->n_classes++] = (struct amp_heap_class){ class_b[i], allocs };
    }
    return 0;
}
