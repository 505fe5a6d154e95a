/* SPDX-License-Identifier: MIT */
#include "harness/profile/preload/real.h"

#include "harness/profile/unwind/thread.h"

#include <dlfcn.h>
#include <string.h>

#define EARLY_B 65536

AMP_HOT struct amp_real amp_real;
AMP_HOT bool amp_real_found;
static bool is_finding;
static _Alignas(16) char early[EARLY_B];
static size_t n_early;

void *amp_real_early(size_t size_b)
{
    size_t at = n_early;

    if (size_b > sizeof early - at)
        return NULL;
    n_early = (at + size_b + 15) / 16 * 16;
    return early + at;
}

bool amp_real_is_early(const void *p)
{
    return (const char *) p >= early && (const char *) p < early + sizeof early;
}

size_t amp_real_early_behind(const void *p)
{
    return (size_t) (early + sizeof early - (const char *) p);
}

void *amp_real_next(const char *name)
{
    enum amp_doing before = amp_thread.doing;
    void *found;

    amp_thread.doing = AMP_LOOKING_UP;
    found = dlsym(RTLD_NEXT, name);
    amp_thread.doing = before;
    return found;
}

static void find_one(const char *name, void *function)
{
    void *found = amp_real_next(name);

    memcpy(function, &found, sizeof found);
}

bool amp_real_find(void)
{
    if (is_finding)
        return false;
    is_finding = true;
    find_one("malloc", &amp_real.malloc);
    find_one("calloc", &amp_real.calloc);
    find_one("realloc", &amp_real.realloc);
    find_one("free", &amp_real.free);
    find_one("aligned_alloc", &amp_real.aligned_alloc);
    find_one("posix_memalign", &amp_real.posix_memalign);
    find_one("memalign", &amp_real.memalign);
    find_one("valloc", &amp_real.valloc);
    find_one("pvalloc", &amp_real.pvalloc);
    find_one("dlclose", &amp_real.dlclose);
    amp_real_found = true;
    return true;
}
