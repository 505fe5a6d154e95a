/* SPDX-License-Identifier: MIT
 *
 * Look up keys in a hash map (uthash): the map's entries hold the values, or pointers to them.
 *
 *   hash_map     value     bucket --> [ key, handle, value   ]
 *                pointer   bucket --> [ key, handle, & ]--> [ value ]
 *
 *   map_handle   value     find(map)       the handle by value: 8 B, the address of what all share
 *                pointer   find(&map)      a pointer to the handle: one load more on the way in
 *
 * Same on both sides:  the keys, their random order, the hash, the number of each value that is read.
 * Different:           hash_map: one more block to visit for each key. map_handle: only that load. A handle refers to a
 *                      shared map, so even if it is passed by value, all see the changes.
 *
 * The size is the number of entries; an operation is one look-up of a key that is there.
 */
#include "harness/kernel.h"

#include <uthash.h>

struct cargo {
    uint64_t number;
    uint64_t rest[7];
};

struct entry {
    uint64_t key;
    UT_hash_handle hh;
    struct cargo *elsewhere; /* the pointer side's, or NULL */
};

struct holder { /* the value side's entry */
    struct entry entry;
    struct cargo here;
};

static AMP_ALWAYS_INLINE const struct cargo *here(const struct entry *entry)
{
    return &((const struct holder *) (const void *) entry)->here;
}

struct map {
    struct entry *entries; /* uthash keeps its table behind the first */
};

struct lookups {
    struct map map;
    size_t n;
    uint64_t next; /* the state of the draw */
};

/* The compiler must not see where the handle comes from and what is found, or it would arrange the search differently
 * for each caller, and that would be measured. Every key is in the map, so there is no code for a missing one: gcc
 * would turn it into a trap. */
static AMP_ALWAYS_INLINE struct entry *find(const struct entry *entries, uint64_t key)
{
    struct entry *found;

    __asm__("" : "+r"(entries));
    HASH_FIND(hh, entries, &key, sizeof key, found);
    __asm__("" : "+r"(found));
    return found;
}

static AMP_NOINLINE const struct cargo *find_value(struct map map, uint64_t key)
{
    return here(find(map.entries, key));
}

static AMP_NOINLINE const struct cargo *find_pointer(struct map map, uint64_t key)
{
    return find(map.entries, key)->elsewhere;
}

static AMP_NOINLINE const struct cargo *find_handle(const struct map *map, uint64_t key)
{
    return here(find(map->entries, key));
}

static inline uint64_t draw(struct lookups *l)
{
    l->next = l->next * 6364136223846793005u + 1442695040888963407u;
    return (l->next >> 33) % l->n;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct lookups *l = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += find_value(l->map, draw(l))->number;
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct lookups *l = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += find_pointer(l->map, draw(l))->number;
    return sum;
}

static uint64_t run_handle(void *fixture, uint64_t ops)
{
    struct lookups *l = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += find_handle(&l->map, draw(l))->number;
    return sum;
}

static struct lookups *set_up(size_t n)
{
    struct lookups *l = amp_alloc(sizeof *l);

    *l = (struct lookups){ .n = n, .next = 1 };
    return l;
}

static void add(struct lookups *l, uint64_t key, struct entry *entry, struct cargo *elsewhere)
{
    entry->key = key;
    entry->elsewhere = elsewhere;
    HASH_ADD(hh, l->map.entries, key, sizeof entry->key, entry);
}

static void *set_up_value(size_t n)
{
    struct lookups *l = set_up(n);

    for (size_t k = 0; k < n; k++) {
        struct holder *holder = amp_alloc(sizeof *holder);

        holder->here = (struct cargo){ .number = 3 * k };
        add(l, k, &holder->entry, NULL);
    }
    return l;
}

static void *set_up_pointer(size_t n)
{
    struct lookups *l = set_up(n);

    for (size_t k = 0; k < n; k++) {
        struct cargo *elsewhere = amp_alloc(sizeof *elsewhere);

        *elsewhere = (struct cargo){ .number = 3 * k };
        add(l, k, amp_alloc(sizeof(struct entry)), elsewhere);
    }
    return l;
}

static void tear_down(void *fixture)
{
    struct lookups *l = fixture;
    struct entry *entry, *next;

    HASH_ITER (hh, l->map.entries, entry, next) {
        HASH_DEL(l->map.entries, entry);
        free(entry->elsewhere);
        free(entry);
    }
    free(l);
}

AMP_PAIR(hash_map,
         .question = "What does a look-up cost in a map that holds values, and what in one that holds pointers to "
                     "them?",
         .value = { run_value, .calls = "find_value", .set_up = set_up_value, .tear_down = tear_down },
         .pointer = { run_pointer, .calls = "find_pointer", .set_up = set_up_pointer, .tear_down = tear_down },
         .sizes = AMP_SIZES(64, 65536), .size_unit = "entries",
         AMP_CLAIMS({ AMP_NEITHER, .to = 64, .text =
                      "In the caches, a map of values and one of pointers take equally long." },
                    { AMP_VALUE, .from = 65536, .text =
                      "In a large map, hold values: a pointer is one more wait for memory." }),
         .prefer = "Hold pointers if the values must not move when the map grows, or are in several maps.");

AMP_PAIR(map_handle,
         .question = "What does it cost to pass a map by its handle, and what by a pointer to the handle?",
         .value = { run_value, .calls = "find_value", .label = "handle", .set_up = set_up_value,
                    .tear_down = tear_down },
         .pointer = { run_handle, .calls = "find_handle", .label = "pointer to it", .set_up = set_up_value,
                      .tear_down = tear_down },
         .sizes = AMP_SIZES(64, 256, 65536), .size_unit = "entries",
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "Pass the handle by value: it is a pointer already, and a pointer to it is not faster." }),
         .prefer = "Pass a pointer to it only to functions that replace the map itself, as uthash does when it adds "
                   "the first entry.");
