/* SPDX-License-Identifier: MIT
 *
 * The copy that adjusts, held against the definition of it, word by word: in the range, at its ends, and just
 * beyond. */
#include "harness/stack/state.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define OWN_MMAP 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MMAP 0
#endif
#endif
#ifndef OWN_MMAP
#define OWN_MMAP 1
#endif

#define WORDS_MAX 512
#define GUARD 0x1122334455667788U

static uint64_t state = 88172645463325252U;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static const struct {
    const char *name;
    uintptr_t low;
    size_t size;
    uintptr_t distance;
} ranges[] = {
    { "upwards", 0x00007f1234560000U, 1 << 16, 1 << 20 },
    { "downwards", 0x00007f1234560000U, 1 << 16, (uintptr_t) - (1 << 20) },
    { "2 KiB", 0x00007fffffff0800U, 2048, 4096 },
    { "1 GiB", 0x00007f1240000000U, (size_t) 1 << 30, (uintptr_t) 1 << 33 },
    { "up to a multiple of 4 GiB", 0x00007f12ffff0000U, 1 << 16, (uintptr_t) - (1 << 24) },
    { "from a multiple of 4 GiB", 0x00007f1200000000U, 1 << 16, (uintptr_t) 3 << 32 },
};

/* A word of one of the kinds that matter, of which the last is the likeliest on a stack. */
static uint64_t word_near(uintptr_t low, size_t size)
{
    switch (draw() % 10) {
    case 0:
        return low;
    case 1:
        return low + size - 1;
    case 2:
        return low - 1;
    case 3:
        return low + size;
    case 4:
        return low + draw() % size;
    case 5:
        return (low >> 32 << 32) + (uint32_t) draw(); /* the same 4 GiB */
    case 6:
        return low << 32 | low >> 32; /* the halves of an address, exchanged */
    case 7:
        return (uint32_t) low;
    default:
        return draw();
    }
}

static void copies_and_adjusts(void **unused)
{
    _Alignas(16) uint64_t from[WORDS_MAX + 8], to[WORDS_MAX + 8];
    const size_t step = amp_stack_hosted() ? 38 : 2; /* valgrind and sanitizers take their time */

    (void) unused;
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
        for (size_t words = 0; words <= WORDS_MAX; words += step) {
            size_t wanted = 0;

            for (size_t i = 0; i < words + 2; i++) {
                from[i] = word_near(ranges[r].low, ranges[r].size);
                to[i] = GUARD;
            }
            if (amp_stack_relocate(to, from, 8 * words, ranges[r].low, ranges[r].size, ranges[r].distance) > words)
                fail_msg("%s: more words than there are", ranges[r].name);
            for (size_t i = 0; i < words; i++) {
                int inside = from[i] >= ranges[r].low && from[i] <= ranges[r].low + (ranges[r].size - 1);

                wanted += (size_t) inside;
                if (to[i] != (inside ? from[i] + ranges[r].distance : from[i]))
                    fail_msg("%s: word %zu of %zu: %#lx became %#lx", ranges[r].name, i, words, from[i], to[i]);
            }
            if (to[words] != GUARD || to[words + 1] != GUARD)
                fail_msg("%s: wrote beyond %zu words", ranges[r].name, words);
            assert_int_equal(amp_stack_relocate(to, from, 8 * words, ranges[r].low, ranges[r].size, ranges[r].distance),
                             wanted);
        }
}

/* One address among words that are none, at each place in turn. */
static void finds_each(void **unused)
{
    _Alignas(16) uint64_t from[64], to[64];

    (void) unused;
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
        for (size_t at = 0; at < 64; at++) {
            for (size_t i = 0; i < 64; i++)
                from[i] = i * 0x0101010101010101U;
            from[at] = ranges[r].low + 8 * at;
            assert_int_equal(
                amp_stack_relocate(to, from, sizeof from, ranges[r].low, ranges[r].size, ranges[r].distance), 1);
            for (size_t i = 0; i < 64; i++)
                assert_true(to[i] == from[i] + (i == at ? ranges[r].distance : 0));
        }
}

static void works_without_wide_vectors(void **unused)
{
#if defined(__x86_64__)
    bool wide = amp_stack_wide;

    if (!wide) {
        print_message("no AVX2 here: that is what the other tests have done\n");
        skip();
    }
    amp_stack_wide = false;
    copies_and_adjusts(unused);
    finds_each(unused);
    amp_stack_wide = wide;
#else
    (void) unused;
    skip(); /* there is one way only */
#endif
}

/* Stacks of every size are where no multiple of 4 GiB divides them, and do not overlap; a broken canary is seen. */
static void slabs_keep_apart(void **unused)
{
    const size_t largest_b = (size_t) 1 << (amp_stack_hosted() ? 21 : 26); /* of which valgrind marks every byte */
    uintptr_t low[64];

    (void) unused;
    for (size_t size_b = AMP_STACK_MIN_B; size_b <= largest_b; size_b *= 2) {
        for (size_t i = 0; i < 64; i++) {
            assert_int_equal(amp_slab_take(size_b, &low[i]), 0);
            assert_int_equal(low[i] >> 32, (low[i] + size_b - 1) >> 32);
            assert_int_equal(low[i] % AMP_STACK_MIN_B, 0);
            *(volatile char *) (low[i] + size_b - 1) = 1;
            for (size_t j = 0; j < i; j++)
                if (low[i] < low[j] + size_b && low[j] < low[i] + size_b)
                    fail_msg("%zu B: two stacks overlap", size_b);
        }
        for (size_t i = 0; i < 64; i++)
            assert_int_equal(amp_slab_give(low[i], size_b), 0);
    }
    assert_true(amp_stack_trim() >= 64 * (2 * largest_b - ((size_t) 1 << 16)));
    for (size_t byte = 0; byte < AMP_SLAB_CANARY_B; byte++) {
        assert_int_equal(amp_slab_take(2048, &low[0]), 0);
        *(unsigned char *) (low[0] + byte) ^= 1;
        assert_false(amp_slab_intact(low[0]));
        assert_int_equal(amp_slab_give(low[0], 2048), -EFAULT);
        assert_int_equal(amp_slab_take(2048, &low[1]), 0);
        assert_int_not_equal(low[0], low[1]); /* broken memory is not used again */
        assert_int_equal(amp_slab_give(low[1], 2048), 0);
    }
}

/* Where the next mappings go, the last first; else where the system likes. */
static uintptr_t places[2];
static size_t n_places;

#if OWN_MMAP
void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    if (n_places > 0) {
        at = (void *) places[--n_places];
        flags |= MAP_FIXED_NOREPLACE;
    }
    return (void *) syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}
#endif

static bool is_mapped(uintptr_t at)
{
    return msync((void *) at, 1, MS_ASYNC) == 0;
}

/* A mapping that a multiple of 4 GiB divides is exchanged for one that none does, and nothing else stays mapped. */
static void avoids_multiples_of_4_gib(void **unused)
{
    const size_t size_b = 1 << 20, page = (size_t) sysconf(_SC_PAGESIZE), n = size_b + page;
    const size_t below[] = { page, n / 2 / page * page, n - page, n, n + page, 2 * n - page };
    uintptr_t border = (uintptr_t) 0x6100 << 32, low;

    (void) unused;
    if (!OWN_MMAP || amp_stack_hosted()) {
        print_message("valgrind and sanitizers keep their own account of mappings\n");
        skip();
    }
    amp_stack_trim();
    for (size_t i = 0; i < sizeof below / sizeof *below; i++, border += (uintptr_t) 4 << 32) {
        const uintptr_t second = border + ((uintptr_t) 2 << 32) - below[i]; /* of twice the size */

        places[1] = border - page;
        places[0] = second;
        n_places = 2;
        assert_int_equal(amp_slab_take(size_b, &low), 0);
        assert_int_equal(n_places, 0);
        assert_int_equal(low >> 32, (low + size_b - 1) >> 32);
        assert_true(low >= second + page && low + size_b <= second + 2 * n);
        memset((void *) low, 1, 64);
        memset((void *) (low + size_b - 64), 1, 64);
        memset((void *) (low + 64), 1, size_b - 128);
        assert_false(is_mapped(border - page) || is_mapped(border) || is_mapped(low + size_b) ||
                     is_mapped(low - 2 * page));
        assert_true(is_mapped(low - page));
        assert_int_equal(amp_slab_give(low, size_b), -EFAULT); /* this test wrote over the canary */
        munmap((void *) (low - page), n);
    }
}

/* From 4 KiB, what is below a stack cannot be written; that ends the process, here a child. */
static void gaps_cannot_be_written(void **unused)
{
    (void) unused;
    if (amp_stack_hosted()) {
        print_message("valgrind and sanitizers have their own opinion of such writes\n");
        skip();
    }
    for (size_t size_b = 4096; size_b <= (size_t) 1 << 22; size_b *= 2) {
        uintptr_t low[3];
        int status;

        if (size_b < (size_t) sysconf(_SC_PAGESIZE))
            continue;
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(amp_slab_take(size_b, &low[i]), 0);
        for (size_t i = 0; i < 3; i++) {
            pid_t child = fork();

            if (child == 0) {
                signal(SIGSEGV, SIG_DFL); /* cmocka's would go on with the tests */
                *(volatile char *) (low[i] - 1) = 1;
                _exit(0);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(amp_slab_give(low[i], size_b), 0);
    }
}

static void used_again(void **unused)
{
    uintptr_t first, again;

    (void) unused;
    for (size_t size_b = AMP_STACK_MIN_B; size_b <= (size_t) 1 << 20; size_b *= 2) {
        assert_int_equal(amp_slab_take(size_b, &first), 0);
        assert_int_equal(amp_slab_give(first, size_b), 0);
        assert_int_equal(amp_slab_take(size_b, &again), 0);
        assert_int_equal(first, again);
        assert_int_equal(amp_slab_give(again, size_b), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_adjusts),
        cmocka_unit_test(finds_each),
        cmocka_unit_test(works_without_wide_vectors),
        cmocka_unit_test(slabs_keep_apart),
        cmocka_unit_test(avoids_multiples_of_4_gib),
        cmocka_unit_test(gaps_cannot_be_written),
        cmocka_unit_test(used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
