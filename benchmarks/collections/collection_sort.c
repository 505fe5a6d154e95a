/* SPDX-License-Identifier: MIT
 *
 * Sort 256 elements: the elements themselves, or an array of pointers to them.
 *
 *   value     [ 7 ... ][ 2 ... ][ 5 ... ]      elements are moved, the key is at hand
 *   pointer   [ & ][ & ][ & ]                  8 B are moved, each comparison goes through a pointer or two
 *               |    |    `--> [ 5 ... ]
 *               |    `-> [ 2 ... ]
 *               `-> [ 7 ... ]
 *
 * Same on both sides:  the elements, their keys, which every operation draws anew from the old ones; the algorithm
 *                      (Shell's, with Ciura's gaps), so the comparisons and the moves, one for one.
 * Different:           what a move moves and what a comparison reads. Above 256 B gcc moves by `rep movs`, clang by a
 *                      call of memcpy(). At 64 B gcc has the element that is inserted in registers. clang has it in
 *                      its frame, and stores its key apart: if it is moved on soon, a wider load waits for that store
 *                      (store_forward).
 *
 * The size is what an element carries beside its key of 8 bytes.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/collections/collection_sort.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 8 || (n) == 64 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define ELEMENTS 256
#define element AMP_NAME(element)
#define table AMP_NAME(table)
#define sort_value AMP_NAME(sort_value)
#define sort_pointer AMP_NAME(sort_pointer)
#define set_up_table AMP_NAME(set_up_table)

struct element {
    uint64_t key;
    subject carried;
};

struct table {
    struct element *pointers[ELEMENTS]; /* of the pointer side */
    struct element values[ELEMENTS];    /* what they point at; the value side's own array */
};

#define NEXT_KEY(key) ((key) * 6364136223846793005u + 1442695040888963407u)

#ifdef __clang__ /* would unroll the loop over the gaps, on the pointer side alone */
#define HIDE(gap) __asm__("" : "+r"(gap))
#else
#define HIDE(gap)
#endif

/* What both sort by, once as `a[k].key` and once as `a[k]->key`. */
#define SORT(type, a, member)                                                                                          \
    static const unsigned gaps[] = { 132, 57, 23, 10, 4, 1 };                                                          \
                                                                                                                       \
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {                                                        \
        size_t gap = gaps[g];                                                                                          \
                                                                                                                       \
        HIDE(gap);                                                                                                     \
        for (size_t i = gap; i < ELEMENTS; i++) {                                                                      \
            type moved = a[i];                                                                                         \
            size_t k = i;                                                                                              \
                                                                                                                       \
            for (; k >= gap && a[k - gap] member key > moved member key; k -= gap)                                     \
                a[k] = a[k - gap];                                                                                     \
            a[k] = moved;                                                                                              \
        }                                                                                                              \
    }

static AMP_NOINLINE void sort_value(struct element *a)
{
    SORT(struct element, a, .)
}

static AMP_NOINLINE void sort_pointer(struct element **a)
{
    SORT(struct element *, a, ->)
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct table *t = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        for (size_t k = 0; k < ELEMENTS; k++)
            t->values[k].key = NEXT_KEY(t->values[k].key);
        sort_value(t->values);
        sum += t->values[0].key + amp_ends(&t->values[ELEMENTS - 1].carried);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct table *t = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        for (size_t k = 0; k < ELEMENTS; k++)
            t->pointers[k]->key = NEXT_KEY(t->pointers[k]->key);
        sort_pointer(t->pointers);
        sum += t->pointers[0]->key + amp_ends(&t->pointers[ELEMENTS - 1]->carried);
    }
    return sum;
}

static void *set_up_table(size_t size)
{
    struct table *t = amp_alloc(sizeof *t);

    (void) size;
    for (size_t k = 0; k < ELEMENTS; k++) {
        memset(&t->values[k], 0, sizeof t->values[k]);
        t->values[k].key = k;
        amp_set_ends(&t->values[k].carried, k);
        t->pointers[k] = &t->values[k];
    }
    return t;
}

AMP_PAIR(collection_sort,
         .question = "What does it cost to sort elements, and what to sort pointers to them?",
         .value = { run_value, .calls = "sort_value", .set_up = set_up_table, .tear_down = free },
         .pointer = { run_pointer, .calls = "sort_pointer", .set_up = set_up_table, .tear_down = free },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .to = 8, .text =
                      "Sort elements of a word as they are: pointers gain nothing, and lose on some processors." },
                    { AMP_POINTER, .from = 64, .to = 64, .text =
                      "At a cache line it depends on the processor whether pointers are sorted faster." },
                    { AMP_POINTER, .from = 1024, .text =
                      "Sort pointers to large elements, or keys with an index." }));

#endif
