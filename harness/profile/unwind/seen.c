/* SPDX-License-Identifier: MIT
 *
 * When a thread's memory is full, it forgets all of them: those that it still has come back within a walk each. */
#include "harness/profile/unwind/seen.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define SEEN_B ((size_t) 1 << 20) /* for a thread; of which only what is used takes memory */
#define CHAIN_MOST 16

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;
AMP_HOT bool amp_seen_gathers;

static void end_thread(void *seen)
{
    amp_thread.seen = NULL;
    amp_thread.has_ended = true;
    munmap(seen, SEEN_B);
}

#if defined(__x86_64__)
/* Where such loads would tell secrets of the kernel, they are made slow. */
static bool may_gather(void)
{
    static const char file[] = "/sys/devices/system/cpu/vulnerabilities/gather_data_sampling", good[] = "Not affected";
    char text[sizeof good - 1];
    long fd, got;

    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2"))
        return false;
    fd = syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = syscall(SYS_read, fd, text, sizeof text);
    syscall(SYS_close, fd);
    return got == sizeof text && memcmp(text, good, sizeof text) == 0;
}

__attribute__((target("avx2"))) bool amp_seen_is_same_gathered(const struct amp_seen_stack *seen, uintptr_t sp)
{
    const uint32_t *end = seen->checks + 2 * seen->n_checks;
    __m256i differs = _mm256_setzero_si256();

    for (const uint32_t *at = seen->checks; at < end; at += 2 * AMP_SEEN_STEP) {
        const __m256i offsets = _mm256_load_si256((const __m256i *) at);
        const __m256i lower = _mm256_load_si256((const __m256i *) (at + AMP_SEEN_STEP));
        const __m256i found = _mm256_i32gather_epi32((const int *) sp, offsets, 1);

        differs = _mm256_or_si256(differs, _mm256_xor_si256(found, lower));
    }
    return _mm256_testz_si256(differs, differs);
}
#else
static bool may_gather(void)
{
    return false;
}

bool amp_seen_is_same_gathered(const struct amp_seen_stack *seen, uintptr_t sp)
{
    return amp_seen_is_same_singly(seen, sp);
}
#endif

static uint32_t change(uintptr_t sp, const uint32_t *check)
{
    return amp_seen_change(sp, check[0], check[AMP_SEEN_STEP]);
}

bool amp_seen_is_same_singly(const struct amp_seen_stack *seen, uintptr_t sp)
{
    const uint32_t *at = seen->checks, *end = at + 2 * seen->n_checks;
    uint32_t differs = 0;

    for (; !differs && at < end; at += 2 * AMP_SEEN_STEP) /* few branches: these are easier to guess */
        differs = change(sp, at) | change(sp, at + 1) | change(sp, at + 2) | change(sp, at + 3) | change(sp, at + 4) |
                  change(sp, at + 5) | change(sp, at + 6) | change(sp, at + 7);
    return !differs;
}

static void begin_process(void)
{
    has_key = pthread_key_create(&key, end_thread) == 0;
    amp_seen_gathers = may_gather();
}

static void begin(struct amp_thread *thread)
{
    void *seen;

    thread->has_ended = true; /* where there is none, it is not tried again */
    pthread_once(&once, begin_process);
    if (!has_key)
        return;
    seen = mmap(NULL, SEEN_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED)
        return;
    if (madvise(seen, SEEN_B, MADV_WIPEONFORK)) { /* notes are those of this process */
        munmap(seen, SEEN_B);
        return;
    }
    thread->seen = seen;
    thread->has_ended = false;
    pthread_setspecific(key, seen);
}

static void forget_all(struct amp_seen *seen)
{
    memset(seen, 0, offsetof(struct amp_seen, bytes));
}

/* How many are in a chain; no more than CHAIN_MOST are kept. */
static void shorten(struct amp_seen_stack *chain)
{
    for (unsigned n = 1; chain; chain = chain->next)
        if (++n == CHAIN_MOST)
            chain->next = NULL;
}

/* Room in the thread's memory; NULL: it is full. */
static void *take(struct amp_seen *seen, size_t size_b)
{
    void *at = seen->bytes + seen->used_b;

    size_b = (size_b + 63) / 64 * 64;
    if (seen->used_b + size_b > SEEN_B - offsetof(struct amp_seen, bytes))
        return NULL;
    seen->used_b += size_b;
    return at;
}

/* A copy that lasts; NULL: the memory is full. */
static struct amp_stack *keep_stack(struct amp_seen *seen, const struct amp_stack *stack)
{
    const size_t words_b = (stack->n - 1) * sizeof(struct amp_word);
    struct amp_stack *copy = take(seen, sizeof *copy + words_b);

    if (!copy)
        return NULL;
    *copy = *stack;
    copy->words = memcpy(copy + 1, stack->words, words_b);
    return copy;
}

/* The place of one of the checks. */
static uint32_t *check_at(struct amp_seen_stack *seen, uint32_t i)
{
    return &seen->checks[i / AMP_SEEN_STEP * 2 * AMP_SEEN_STEP + i % AMP_SEEN_STEP];
}

/* Remember a stack; NULL: the memory is full. */
static const struct amp_stack *keep(struct amp_seen *seen, const struct amp_stack_room *room)
{
    const struct amp_caller *caller = &room->stack.caller;
    const uint32_t n_returns = room->stack.n - 1, n = n_returns + room->n_others;
    const uint32_t n_checks = (n + AMP_SEEN_STEP - 1) / AMP_SEEN_STEP * AMP_SEEN_STEP;
    struct amp_seen_stack *kept = take(seen, sizeof *kept + 2 * n_checks * sizeof *kept->checks);
    struct amp_seen_stack **chain = amp_seen_chain(seen, caller);
    const struct amp_stack *stack = keep_stack(seen, &room->stack);

    if (!kept || !stack)
        return NULL;
    *kept = (struct amp_seen_stack){ .caller = *caller, .n_checks = n_checks, .stamp = room->stack.stamp,
                                     .next = *chain, .stack = stack,
                                     .fp_matters = room->stack.fp_mask ? UINT32_MAX : 0 };
    for (uint32_t i = 0; i < n_checks; i++) { /* the last one fills the rest */
        const uint32_t k = i < n ? i : n - 1;
        const struct amp_word *word = k < n_returns ? &room->returns[k] : &room->others[k - n_returns];
        uint32_t *check = check_at(kept, i);

        check[0] = (uint32_t) ((uintptr_t) word->at - caller->sp);
        check[AMP_SEEN_STEP] = (uint32_t) word->value;
    }
    kept->quick = (struct amp_check){ kept->checks[0], kept->checks[AMP_SEEN_STEP] };
    shorten(*chain);
    *chain = kept;
    return stack;
}

void amp_seen_learn(struct amp_seen_stack *seen, uintptr_t sp)
{
    for (uint32_t i = 0; i < seen->n_checks; i++) {
        const uint32_t *check = check_at(seen, i);

        if (change(sp, check)) {
            seen->quick = (struct amp_check){ check[0], check[AMP_SEEN_STEP] };
            return;
        }
    }
}

static bool can_be_kept(const struct amp_stack *stack)
{
    return amp_thread.seen && stack->can_last && stack->n > 1 && amp_thread.high - stack->caller.sp <= INT32_MAX;
}

const struct amp_stack *amp_seen_walk(const struct amp_caller *caller, struct amp_stack_room *room)
{
    const struct amp_stack *kept;

    amp_stack_walk(caller, false, room);
    if (!amp_thread.seen && !amp_thread.has_ended)
        begin(&amp_thread);
    if (!can_be_kept(&room->stack))
        return &room->stack;
    kept = keep(amp_thread.seen, room);
    if (kept)
        return kept;
    forget_all(amp_thread.seen);
    kept = keep(amp_thread.seen, room);
    return kept ? kept : &room->stack;
}
