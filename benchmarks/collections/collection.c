/* SPDX-License-Identifier: MIT
 *
 * Walk over a collection: an array of elements, or an array of pointers to elements.
 *
 *   value     [ e0 ][ e1 ][ e2 ][ e3 ] ...           one array, 64 B an element: a cache line
 *   pointer   [ & ][ & ][ & ][ & ] ...               one array, 8 B an element, and each element on its own
 *               |    |    `-> [ e2 ]
 *               |    `-> [ e1 ]
 *               `-> [ e0 ]
 *
 *   collection_shuffled   the same with the pointers in random order over the elements, as a program leaves them behind
 *                         that has made and ended objects for a while
 *
 * Same on both sides:  the elements, their order, the one number of each that is read.
 * Different:           one more load on the way to each element, 8 B more of cache for each, and where the elements
 *                      lie: those of the pointer side are allocated one by one, in the order of the walk, so most of
 *                      them are neighbours, except in collection_shuffled.
 *
 * An operation is one element. The walk goes on where the last one stopped, and wraps round, so that a short epoch can
 * work on a set larger than the caches. The size is that of all elements, in bytes. Paired rounds walk the sets of both
 * sides in turn, so the caches hold half of each: from half of a cache's size on, compare the times of each side alone.
 */
#include "harness/kernel.h"

struct element {
    int64_t number;
    int64_t rest[7];
};

struct collection {
    struct element *values;    /* the value side's elements, or NULL */
    struct element **pointers; /* the pointer side's, or NULL */
    size_t n;
    size_t next; /* where the walk goes on */
};

/* How many of `ops` elements come before the end of the collection. */
static inline size_t stretch(const struct collection *set, uint64_t ops)
{
    size_t rest = set->n - set->next;

    return ops < rest ? (size_t) ops : rest;
}

static inline void advance(struct collection *set, size_t n)
{
    set->next = set->next + n < set->n ? set->next + n : 0;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct collection *set = fixture;
    uint64_t sum = 0;

    while (ops > 0) {
        const size_t n = stretch(set, ops);
        const struct element *element = set->values + set->next;

        for (size_t i = n; i > 0; i--, element++) {
            sum += (uint64_t) element->number;
            amp_keep(element); /* an element at a time, on both sides */
        }
        advance(set, n);
        ops -= n;
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct collection *set = fixture;
    uint64_t sum = 0;

    while (ops > 0) {
        const size_t n = stretch(set, ops);
        struct element *const *element = set->pointers + set->next;

        for (size_t i = n; i > 0; i--, element++) {
            sum += (uint64_t) (*element)->number;
            amp_keep(*element);
        }
        advance(set, n);
        ops -= n;
    }
    return sum;
}

static struct collection *set_up(size_t size)
{
    struct collection *set = amp_alloc(sizeof *set);

    *set = (struct collection){ .n = size / sizeof(struct element) };
    return set;
}

static void *set_up_value(size_t size)
{
    struct collection *set = set_up(size);

    set->values = amp_alloc(set->n * sizeof *set->values);
    for (size_t i = 0; i < set->n; i++)
        set->values[i] = (struct element){ .number = (int64_t) i };
    return set;
}

static void *set_up_pointer(size_t size)
{
    struct collection *set = set_up(size);

    set->pointers = amp_alloc(set->n * sizeof *set->pointers);
    for (size_t i = 0; i < set->n; i++) {
        set->pointers[i] = amp_alloc(sizeof *set->pointers[i]);
        *set->pointers[i] = (struct element){ .number = (int64_t) i };
    }
    return set;
}

static void tear_down_value(void *fixture)
{
    struct collection *set = fixture;

    free(set->values);
    free(set);
}

static void tear_down_pointer(void *fixture)
{
    struct collection *set = fixture;

    for (size_t i = 0; i < set->n; i++)
        free(set->pointers[i]);
    free(set->pointers);
    free(set);
}

#define KIB ((size_t) 1024)
#define MIB (1024 * KIB)
#ifdef COLLECTION_FEW_SIZES /* where the lesson is compiled once more, in another way */
#define COLLECTION_SIZES AMP_SIZES(128 * KIB, 8 * MIB)
#else
#define COLLECTION_SIZES AMP_SIZES(16 * KIB, 128 * KIB, 512 * KIB, 2 * MIB, 8 * MIB, 24 * MIB, 64 * MIB, 128 * MIB)
#endif
#define COLLECTION_CLAIMS \
    { AMP_VALUE, .text = "Keep elements in one array if you walk them together." }

AMP_PAIR(collection,
         .question = "What does it cost to walk an array of elements, and what an array of pointers to them?",
         .value = { run_value, .calls = "", .set_up = set_up_value, .tear_down = tear_down_value },
         .pointer = { run_pointer, .calls = "", .set_up = set_up_pointer, .tear_down = tear_down_pointer },
         .sizes = COLLECTION_SIZES, AMP_CLAIMS(COLLECTION_CLAIMS));

#ifndef COLLECTION_FEW_SIZES

/* The elements where they were, their numbers and the order of the walk shuffled (Fisher and Yates), always alike. */
static void *set_up_shuffled(size_t size)
{
    struct collection *set = set_up_pointer(size);
    uint64_t state = 1;

    for (size_t i = set->n - 1; i > 0; i--) {
        struct element *kept = set->pointers[i];
        size_t k;

        state = state * 6364136223846793005u + 1442695040888963407u;
        k = (size_t) (state >> 33) % (i + 1);
        set->pointers[i] = set->pointers[k];
        set->pointers[k] = kept;
    }
    for (size_t i = 0; i < set->n; i++)
        set->pointers[i]->number = (int64_t) i;
    return set;
}

AMP_PAIR(collection_shuffled,
         .question = "What does it cost to walk an array of elements, and what an array of pointers to them in random "
                     "order?",
         .value = { run_value, .calls = "", .set_up = set_up_value, .tear_down = tear_down_value },
         .pointer = { run_pointer, .calls = "", .set_up = set_up_shuffled, .tear_down = tear_down_pointer },
         .sizes = AMP_SIZES(128 * KIB, 64 * MIB), AMP_CLAIMS(COLLECTION_CLAIMS));

#endif
