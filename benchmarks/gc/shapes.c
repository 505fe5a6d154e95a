/* SPDX-License-Identifier: MIT
 *
 * The same live bytes in five shapes (shape.h), to see what marking them takes; nothing is dropped.
 *
 * churn allocates 64 B objects that die at once: what an allocation costs, with the collections that it causes. stores
 * and marked store pointers into a table, from which nothing is dropped: what the write barrier costs while it is off,
 * and while one collection follows the other.
 *
 * fresh stores one pointer into each page of the table after each collection, and times these stores only: Boehm's
 * collector is in its incremental mode there, whose barrier is a page that may not be written. loop and checked are
 * loops of a millisecond or so that call nothing, while one collection follows the other: how long it waits to stop
 * them, without a check in the loop and with one. */
#include "benchmarks/gc/shape.h"

#include <time.h>

static struct type value_type = VALUE_TYPE, object_type = OBJECT_TYPE, table_type = TABLE_TYPE;
static struct type *const types[] = { &value_type, &object_type, &table_type };

static struct shape shape = { .value = &value_type, .object = &object_type, .slot = &table_type };
static const struct root roots[] = { { "top", &shape.top }, { "table", &shape.table } };

static uint64_t live_b(void)
{
    return shape.n * sizeof(struct object);
}

#define SET_UP(name)                                                                                                   \
    FUNCTION(uint64_t, set_up_##name, 96, uint64_t live, uint64_t seed)                                                \
    {                                                                                                                  \
        return make_##name(&shape, live, seed);                                                                        \
    }

SET_UP(values)
SET_UP(ordered)
SET_UP(shuffled)
SET_UP(list)
SET_UP(balanced)

FUNCTION(uint64_t, churn_run, 96, unsigned mutator, uint64_t bytes)
{
    uint64_t sum = mutator;

    for (uint64_t done = 0; done < bytes; done += sizeof(struct object)) {
        struct object *object = new_object(&object_type);

        object->words[0] = done;
        amp_keep(object);
        sum += object->words[0];
    }
    return sum;
}

/* Of each eight bytes, one pointer. */
FUNCTION(uint64_t, stores_run, 96, unsigned mutator, uint64_t bytes)
{
    struct object *one = shape.table[0], *other = shape.table[1];
    uint64_t sum = mutator;

    for (uint64_t done = 0; done < bytes; done += sizeof(void *)) {
        uint64_t at = 2 + done / sizeof(void *) % 1024;

        STORE(shape.table[at], done & 8 ? one : other);
        sum += done;
    }
    return sum;
}

#define PAGE_B 4096

static uint64_t fresh_ns;

static uint64_t now_ns(void *unused)
{
    struct timespec t;

    (void) unused;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

/* Of each page, one pointer. */
FUNCTION(uint64_t, fresh_run, 128, unsigned mutator, uint64_t bytes)
{
    struct object *one = shape.table[0];
    uint64_t sum = mutator, pages = shape.n * sizeof(void *) / PAGE_B, begin_ns;

    for (uint64_t done = 0; done < bytes; done += pages * PAGE_B) {
        COLLECT();
        begin_ns = ON_HOST(now_ns, NULL);
        for (uint64_t page = 0; page < pages; page++)
            STORE(shape.table[page * PAGE_B / sizeof(void *)], one);
        fresh_ns += ON_HOST(now_ns, NULL) - begin_ns;
        sum += done;
    }
    return sum;
}

#define STEPS ((uint64_t) 1 << 20)

/* Of each eight bytes, a step of a hash that waits for the one before; so many steps between two safe points. */
#define HASH(name, check)                                                                                              \
    FUNCTION(uint64_t, name, 128, unsigned mutator, uint64_t bytes)                                                    \
    {                                                                                                                  \
        uint64_t hash = mutator;                                                                                       \
                                                                                                                       \
        for (uint64_t done = 0; done < bytes; done += STEPS * 8) {                                                     \
            for (uint64_t i = STEPS; i > 0; i--) {                                                                     \
                check;                                                                                                 \
                hash = (hash ^ i) * 0x100000001b3u;                                                                    \
            }                                                                                                          \
            POLL();                                                                                                    \
        }                                                                                                              \
        return hash;                                                                                                   \
    }

HASH(loop_run, )
HASH(checked_run, POLL())

#define SHAPE(kind, what, ...)                                                                                         \
    const struct workload kind = { .name = #kind, .purpose = what, .mutators = 1, .types = types,                      \
                                   .n_types = sizeof types / sizeof *types, .roots = roots,                            \
                                   .n_roots = sizeof roots / sizeof *roots, .live_b = live_b, __VA_ARGS__ }

SHAPE(values, "One array without a pointer.", .set_up = set_up_values);
SHAPE(ordered, "A table of pointers, in the order of the objects.", .set_up = set_up_ordered);
SHAPE(shuffled, "A table of pointers, in random order.", .set_up = set_up_shuffled);
SHAPE(list, "A list.", .set_up = set_up_list);
SHAPE(balanced, "A balanced tree.", .set_up = set_up_balanced);
SHAPE(stores, "Stores of pointers.", .set_up = set_up_ordered, .run = stores_run);
SHAPE(marked, "Stores of pointers while it is marked.", .set_up = set_up_ordered, .run = stores_run, .collected = true);
SHAPE(fresh, "The first store into a page after a collection.", .set_up = set_up_ordered, .run = fresh_run,
      .timed_ns = &fresh_ns, .protects = true);
SHAPE(loop, "A loop that calls nothing.", .set_up = set_up_values, .run = loop_run, .collected = true);
SHAPE(checked, "A loop that checks.", .set_up = set_up_values, .run = checked_run, .collected = true);
SHAPE(churn, "Objects that die at once.", .set_up = set_up_values, .run = churn_run);
