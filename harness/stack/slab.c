/* SPDX-License-Identifier: MIT
 *
 * Memory for stacks, by size class. Freed memory is kept for the next stack of its size.
 *
 *   below 4 KiB   [gap][c 2 KiB][c 2 KiB] ... [c 2 KiB]     one gap a slab, a canary (c) in each
 *   to 32 KiB     [gap][c 4 KiB][gap][c 4 KiB] ...          a gap below each
 *   above         [gap][c 64 KiB                       ]    a mapping each
 *
 * Each thread has its own free lists, so that they need no lock. A thread that ends leaves its lists to all others. */
#include "harness/stack/state.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define CLASS_MIN 11
#define CLASSES (31 - CLASS_MIN)
#define SLAB_B ((size_t) 256 << 10)
#define ALONE_FROM_B ((size_t) 64 << 10)
#define CANARY 0x5ca1ab1e0ddba11dU /* mixed with the address, so that a neighbour's canary is not valid here */

/* The link of a free stack is the word at its top: the one that has most likely been touched already. */
struct link {
    struct link *next;
    uint64_t unused;
};

struct lists {
    struct link *first[CLASSES];
    bool registered;
};

static _Thread_local struct lists mine __attribute__((tls_model("initial-exec")));
static struct lists left; /* by threads that ended */
static pthread_mutex_t left_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static unsigned class_of(size_t size_b)
{
    return (unsigned) __builtin_ctzl(size_b) - CLASS_MIN;
}

static struct link *link_of(uintptr_t low, size_t size_b)
{
    return (struct link *) (low + size_b - sizeof(struct link));
}

static uintptr_t low_of(struct link *link, size_t size_b)
{
    return (uintptr_t) link + sizeof(struct link) - size_b;
}

static void arm(uintptr_t low)
{
    uint64_t *word = (uint64_t *) low;

    word[0] = CANARY ^ low;
    word[1] = ~(CANARY ^ low);
}

bool amp_slab_intact(uintptr_t low)
{
    const uint64_t *word = (const uint64_t *) low;

    return word[0] == (CANARY ^ low) && word[1] == ~(CANARY ^ low);
}

static void leave_lists(void *lists)
{
    struct lists *ending = lists;

    pthread_mutex_lock(&left_lock);
    for (unsigned k = 0; k < CLASSES; k++) {
        struct link **end = &ending->first[k];

        while (*end)
            end = &(*end)->next;
        *end = left.first[k];
        left.first[k] = ending->first[k];
        ending->first[k] = NULL;
    }
    pthread_mutex_unlock(&left_lock);
}

static void make_key(void)
{
    if (pthread_key_create(&at_exit, leave_lists))
        at_exit = 0;
}

static void push(struct link *link, unsigned k)
{
    if (__builtin_expect(!mine.registered, 0)) {
        pthread_once(&once, make_key);
        pthread_setspecific(at_exit, &mine);
        mine.registered = true;
    }
    link->next = mine.first[k];
    mine.first[k] = link;
}

static struct link *pop(struct lists *lists, unsigned k)
{
    struct link *link = lists->first[k];

    if (link)
        lists->first[k] = link->next;
    return link;
}

static void *map(size_t n)
{
    void *at = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

static bool crosses_4g(uintptr_t at, size_t n)
{
    return at >> 32 != (at + n - 1) >> 32;
}

/* Map n bytes that cross no multiple of 4 GiB, as amp_stack_relocate() needs them. If they would, map twice as much,
 * and unmap the part on the wrong side. NULL: no memory. */
static char *map_within_4g(size_t n)
{
    char *at = map(n);
    uintptr_t border;
    size_t before;

    if (!at || !crosses_4g((uintptr_t) at, n))
        return at;
    munmap(at, n);
    at = map(2 * n);
    if (!at)
        return NULL;
    border = ((uintptr_t) at + 2 * n - 1) >> 32 << 32;
    before = border > (uintptr_t) at ? border - (uintptr_t) at : 0;
    if (before >= n) { /* there is room below the multiple, or none is crossed */
        munmap(at + n, n);
        return at;
    }
    munmap(at, before);
    if (n > before)
        munmap(at + before + n, n - before);
    return at + before;
}

/* Map a slab of stacks of this size, set their canaries, and put them on this thread's free list. */
static int more_of(size_t size_b)
{
    const size_t page = (size_t) sysconf(_SC_PAGESIZE);
    const bool gaps = size_b >= AMP_SLAB_GAP_FROM_B && size_b >= page;
    const size_t step = size_b + (gaps ? page : 0), first = gaps ? 0 : page;
    const size_t n = size_b >= ALONE_FROM_B ? 1 : SLAB_B / size_b, total = first + n * step;
    char *slab = map_within_4g(total);

    if (!slab)
        return -ENOMEM;
    for (size_t i = 0; i < (gaps ? n : 1); i++)
        if (mprotect(slab + page + i * step, gaps ? size_b : n * size_b, PROT_READ | PROT_WRITE)) {
            munmap(slab, total);
            return -ENOMEM;
        }
    for (size_t i = n; i-- > 0;)
        push(link_of((uintptr_t) slab + page + i * step, size_b), class_of(size_b));
    return 0;
}

int amp_slab_take(size_t size_b, uintptr_t *low)
{
    const unsigned k = class_of(size_b);
    struct link *link = pop(&mine, k);

    if (__builtin_expect(!link, 0)) {
        int error;

        pthread_mutex_lock(&left_lock);
        link = pop(&left, k);
        pthread_mutex_unlock(&left_lock);
        error = link ? 0 : more_of(size_b);
        if (error)
            return error;
        link = link ? link : pop(&mine, k);
    }
    *low = low_of(link, size_b);
    arm(*low);
    return 0;
}

int amp_slab_give(uintptr_t low, size_t size_b)
{
    if (!amp_slab_intact(low))
        return -EFAULT;
#ifdef WITH_ASAN
    __asan_unpoison_memory_region((void *) low, size_b);
#endif
    push(link_of(low, size_b), class_of(size_b));
    return 0;
}

static size_t unmap_all(struct lists *lists)
{
    const size_t page = (size_t) sysconf(_SC_PAGESIZE);
    size_t total = 0;

    for (size_t size_b = ALONE_FROM_B; size_b <= AMP_STACK_MAX_B; size_b *= 2)
        for (struct link *link = pop(lists, class_of(size_b)); link; link = pop(lists, class_of(size_b))) {
            munmap((char *) low_of(link, size_b) - page, size_b + page);
            total += size_b;
        }
    return total;
}

size_t amp_stack_trim(void)
{
    size_t total = unmap_all(&mine);

    pthread_mutex_lock(&left_lock);
    total += unmap_all(&left);
    pthread_mutex_unlock(&left_lock);
    return total;
}
