/* SPDX-License-Identifier: MIT
 *
 * Copy a stack and adjust it in one pass. Almost no word of a stack of any size is an address of it, so 64 bytes at a
 * time are copied and their upper halves compared with that of the stack's address; only where one agrees are the
 * eight words looked at one by one. That takes hardly longer than the copy alone. */
#include "harness/stack/state.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define BLOCK_B 64

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

#if defined(__SSE2__)

static inline __m128i upper_halves(__m128i a, __m128i b)
{
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), _MM_SHUFFLE(3, 1, 3, 1)));
}

/* Copies a block; nonzero if a word in it may be an address of the stack. */
static inline int copy_block(char *to, const char *from, uint32_t upper)
{
    const __m128i *in = (const __m128i *) from, wanted = _mm_set1_epi32((int) upper);
    __m128i *out = (__m128i *) to;
    __m128i a = _mm_load_si128(in), b = _mm_load_si128(in + 1), c = _mm_load_si128(in + 2), d = _mm_load_si128(in + 3);

    _mm_store_si128(out, a);
    _mm_store_si128(out + 1, b);
    _mm_store_si128(out + 2, c);
    _mm_store_si128(out + 3, d);
    return _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi32(upper_halves(a, b), wanted),
                                          _mm_cmpeq_epi32(upper_halves(c, d), wanted)));
}

#elif defined(__ARM_NEON)

static inline uint32_t copy_block(char *to, const char *from, uint32_t upper)
{
    const uint32_t *in = (const uint32_t *) from;
    uint32_t *out = (uint32_t *) to;
    uint32x4_t a = vld1q_u32(in), b = vld1q_u32(in + 4), c = vld1q_u32(in + 8), d = vld1q_u32(in + 12);
    uint32x4_t wanted = vdupq_n_u32(upper);

    vst1q_u32(out, a);
    vst1q_u32(out + 4, b);
    vst1q_u32(out + 8, c);
    vst1q_u32(out + 12, d);
    return vmaxvq_u32(vorrq_u32(vceqq_u32(vuzp2q_u32(a, b), wanted), vceqq_u32(vuzp2q_u32(c, d), wanted)));
}

#endif

size_t amp_stack_relocate(void *to, const void *from, size_t n, uintptr_t low, size_t size, uintptr_t distance)
{
    const uint32_t upper = (uint32_t) (low >> 32);
    const char *in = from;
    char *out = to;
    size_t adjusted = 0;

    for (; n >= BLOCK_B; n -= BLOCK_B, in += BLOCK_B, out += BLOCK_B)
        if (__builtin_expect(copy_block(out, in, upper) != 0, 0))
            adjusted += adjust((uint64_t *) (void *) out, BLOCK_B / 8, low, size, distance);
    for (size_t i = 0; i < n / 8; i++)
        ((uint64_t *) (void *) out)[i] = ((const uint64_t *) (const void *) in)[i];
    return adjusted + adjust((uint64_t *) (void *) out, n / 8, low, size, distance);
}
