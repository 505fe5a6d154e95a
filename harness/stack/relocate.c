/* SPDX-License-Identifier: MIT
 *
 * Copy a stack and change its addresses in one pass. Few words of a stack are addresses of it. So 128 bytes are copied
 * at a time, and the upper halves of their words are compared with the upper half of the stack's address. Only if one
 * is equal are the words examined one by one. That takes hardly longer than the copy alone. */
#include "harness/stack/state.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#else
#error "relocation knows SSE2, AVX2 and NEON"
#endif

#define BLOCK_B 128

static inline size_t adjust(uint64_t *word, size_t n, uintptr_t low, size_t size, uintptr_t distance)
{
    size_t adjusted = 0;

    for (size_t i = 0; i < n; i++)
        if (word[i] - low < size) {
            word[i] += distance;
            adjusted++;
        }
    return adjusted;
}

/* copy_block_*() copy a block, and return a number other than 0 if the upper half of some word is `upper`. A shuffle of
 * two vectors collects the upper halves of all words, in any order. */
#if defined(__x86_64__)

bool amp_stack_wide; /* this processor has AVX2 */

__attribute__((constructor)) static void find_out(void)
{
    __builtin_cpu_init();
    amp_stack_wide = __builtin_cpu_supports("avx2");
}

#define UPPER _MM_SHUFFLE(3, 1, 3, 1)

static inline int copy_half(char *to, const char *from, __m128i wanted)
{
    __m128 a = _mm_load_ps((const float *) from), b = _mm_load_ps((const float *) (from + 16));
    __m128 c = _mm_load_ps((const float *) (from + 32)), d = _mm_load_ps((const float *) (from + 48));

    _mm_store_ps((float *) to, a);
    _mm_store_ps((float *) (to + 16), b);
    _mm_store_ps((float *) (to + 32), c);
    _mm_store_ps((float *) (to + 48), d);
    return _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi32(_mm_castps_si128(_mm_shuffle_ps(a, b, UPPER)), wanted),
                                          _mm_cmpeq_epi32(_mm_castps_si128(_mm_shuffle_ps(c, d, UPPER)), wanted)));
}

static inline int copy_block(char *to, const char *from, uint32_t upper)
{
    const __m128i wanted = _mm_set1_epi32((int) upper);

    return copy_half(to, from, wanted) | copy_half(to + 64, from + 64, wanted);
}

__attribute__((target("avx2"))) static inline int copy_block_wide(char *to, const char *from, uint32_t upper)
{
    const __m256i wanted = _mm256_set1_epi32((int) upper);
    __m256 a = _mm256_loadu_ps((const float *) from), b = _mm256_loadu_ps((const float *) (from + 32));
    __m256 c = _mm256_loadu_ps((const float *) (from + 64)), d = _mm256_loadu_ps((const float *) (from + 96));

    _mm256_storeu_ps((float *) to, a);
    _mm256_storeu_ps((float *) (to + 32), b);
    _mm256_storeu_ps((float *) (to + 64), c);
    _mm256_storeu_ps((float *) (to + 96), d);
    return _mm256_movemask_epi8(
        _mm256_or_si256(_mm256_cmpeq_epi32(_mm256_castps_si256(_mm256_shuffle_ps(a, b, UPPER)), wanted),
                        _mm256_cmpeq_epi32(_mm256_castps_si256(_mm256_shuffle_ps(c, d, UPPER)), wanted)));
}

/* The loop of amp_stack_relocate() with AVX2. A function of its own, at whose end the compiler clears the upper halves
 * of the vectors. */
__attribute__((target("avx2"))) static size_t relocate_wide(char *to, const char *from, size_t n, uintptr_t low,
                                                            size_t size, uintptr_t distance)
{
    size_t adjusted = 0;

    for (size_t at = 0; at < n; at += BLOCK_B)
        if (__builtin_expect(copy_block_wide(to + at, from + at, (uint32_t) (low >> 32)) != 0, 0))
            adjusted += adjust((uint64_t *) (void *) (to + at), BLOCK_B / 8, low, size, distance);
    return adjusted;
}

#else

enum { amp_stack_wide = 0 };
#define relocate_wide relocate_plain

static inline uint32x4_t copy_half(char *to, const char *from, uint32x4_t wanted)
{
    const uint32_t *in = (const uint32_t *) (const void *) from;
    uint32_t *out = (uint32_t *) (void *) to;
    uint32x4_t a = vld1q_u32(in), b = vld1q_u32(in + 4), c = vld1q_u32(in + 8), d = vld1q_u32(in + 12);

    vst1q_u32(out, a);
    vst1q_u32(out + 4, b);
    vst1q_u32(out + 8, c);
    vst1q_u32(out + 12, d);
    return vorrq_u32(vceqq_u32(vuzp2q_u32(a, b), wanted), vceqq_u32(vuzp2q_u32(c, d), wanted));
}

static inline uint32_t copy_block(char *to, const char *from, uint32_t upper)
{
    const uint32x4_t wanted = vdupq_n_u32(upper);

    return vmaxvq_u32(vorrq_u32(copy_half(to, from, wanted), copy_half(to + 64, from + 64, wanted)));
}

#endif

static size_t relocate_plain(char *to, const char *from, size_t n, uintptr_t low, size_t size, uintptr_t distance)
{
    size_t adjusted = 0;

    for (size_t at = 0; at < n; at += BLOCK_B)
        if (__builtin_expect(copy_block(to + at, from + at, (uint32_t) (low >> 32)) != 0, 0))
            adjusted += adjust((uint64_t *) (void *) (to + at), BLOCK_B / 8, low, size, distance);
    return adjusted;
}

size_t amp_stack_relocate(void *to, const void *from, size_t n, uintptr_t low, size_t size, uintptr_t distance)
{
    const size_t blocks_b = n / BLOCK_B * BLOCK_B;
    const uint64_t *in = (const uint64_t *) (const void *) ((const char *) from + blocks_b);
    uint64_t *out = (uint64_t *) (void *) ((char *) to + blocks_b);
    size_t adjusted = amp_stack_wide ? relocate_wide(to, from, blocks_b, low, size, distance)
                                     : relocate_plain(to, from, blocks_b, low, size, distance);

    for (size_t i = 0; i < (n - blocks_b) / 8; i++)
        out[i] = in[i];
    return adjusted + adjust(out, (n - blocks_b) / 8, low, size, distance);
}
