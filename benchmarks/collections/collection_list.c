/* SPDX-License-Identifier: MIT
 *
 * Walk along a chain of elements: by indices into one array, or by pointers from element to element.
 *
 *   value     [ e0 2 ][ e1 3 ][ e2 1 ][ e3 0 ] ...    one array; in each element, the next one's index
 *   pointer   [ e0 & ]----> [ e2 & ]----> [ e1 & ]    a block each; in each element, the next one's address
 *
 * Same on both sides:  the elements, their random order, the one number of each that is read; an element with its link
 *                      is a cache line, so a step touches one line. Each load waits for the one before, so latency
 *                      decides.
 * Different:           an index has to be scaled and added (by clang also extended, though it is already) before it can
 *                      be followed; one block against one for each element. The array can be moved, copied and written
 *                      to a file as it is. Not tested here: an index of 4 B may make a small element smaller than an
 *                      address of 8 B does.
 *
 * An operation is one element; the walk goes on where it stopped. The size is that of all elements, in bytes.
 */
#include "harness/kernel.h"

struct node {
    int64_t number;
    int64_t rest[6];
    struct node *next;
};

struct entry {
    int64_t number;
    int64_t rest[6];
    uint32_t next, rest_of_line; /* an address fills both */
};

struct chain {
    struct entry *entries; /* of the value side */
    uint32_t at;
    struct node **blocks, *node; /* of the pointer side */
    size_t n;
};

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct chain *chain = fixture;
    const struct entry *entries = chain->entries;
    uint32_t at = chain->at;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        sum += (uint64_t) entries[at].number;
        at = entries[at].next;
        amp_keep(entries);
    }
    chain->at = at;
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct chain *chain = fixture;
    const struct node *node = chain->node;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        sum += (uint64_t) node->number;
        node = node->next;
        amp_keep(node);
    }
    chain->node = (struct node *) (uintptr_t) node;
    return sum;
}

/* A random order of 0 to n - 1, the same for both sides. */
static size_t *shuffle(size_t n)
{
    size_t *order = amp_alloc(n * sizeof *order);
    uint64_t state = 1;

    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n - 1; i > 0; i--) {
        size_t j, kept = order[i];

        state = state * 6364136223846793005u + 1442695040888963407u;
        j = (size_t) (state >> 33) % (i + 1);
        order[i] = order[j];
        order[j] = kept;
    }
    return order;
}

static void *set_up_value(size_t size)
{
    struct chain *chain = amp_alloc(sizeof *chain);
    size_t n = size / sizeof(struct entry), *order = shuffle(n);

    *chain = (struct chain){ .n = n, .entries = amp_alloc(n * sizeof *chain->entries) };
    for (size_t i = 0; i < n; i++)
        chain->entries[order[i]] = (struct entry){ .number = (int64_t) i, .next = (uint32_t) order[(i + 1) % n] };
    chain->at = (uint32_t) order[0];
    free(order);
    return chain;
}

static void *set_up_pointer(size_t size)
{
    struct chain *chain = amp_alloc(sizeof *chain);
    size_t n = size / sizeof(struct node), *order = shuffle(n);

    *chain = (struct chain){ .n = n, .blocks = amp_alloc(n * sizeof *chain->blocks) };
    for (size_t i = 0; i < n; i++)
        chain->blocks[i] = amp_alloc(sizeof(struct node));
    for (size_t i = 0; i < n; i++)
        *chain->blocks[order[i]] = (struct node){ .number = (int64_t) i, .next = chain->blocks[order[(i + 1) % n]] };
    chain->node = chain->blocks[order[0]];
    free(order);
    return chain;
}

static void tear_down(void *fixture)
{
    struct chain *chain = fixture;

    for (size_t i = 0; chain->blocks && i < chain->n; i++)
        free(chain->blocks[i]);
    free(chain->blocks);
    free(chain->entries);
    free(chain);
}

#define KIB ((size_t) 1024)
#define MIB (1024 * KIB)

AMP_PAIR(collection_list,
         .question = "What does it cost to follow links that are indices into one array, and what to follow a linked "
                     "list?",
         .value = { run_value, .calls = "", .label = "index", .set_up = set_up_value, .tear_down = tear_down },
         .pointer = { run_pointer, .calls = "", .set_up = set_up_pointer, .tear_down = tear_down },
         .sizes = AMP_SIZES(16 * KIB, 64 * KIB, 8 * MIB),
         AMP_CLAIMS({ AMP_POINTER, .to = 65536, .text = "In the caches, pointers save some arithmetic." },
                    { AMP_NEITHER, .from = 8388608, .text =
                      "In a random order beyond the caches, each step waits for memory: neither is faster." }),
         .prefer = "Use indices for data that is moved, copied or stored, and to have one block instead of many. Use "
                   "pointers for elements from many places.");
