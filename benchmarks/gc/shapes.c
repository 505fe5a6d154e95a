/* SPDX-License-Identifier: MIT
 *
 * The same live bytes in five shapes, to see what marking them takes. Each object is 64 B, and nothing is dropped.
 *
 *     values     [64 B][64 B][64 B]...                  one array without a pointer: nothing to look at
 *     ordered    [ * ][ * ][ * ]... -> object           a table of pointers, in the order of the objects
 *     shuffled   [ * ][ * ][ * ]... -> object           in random order: each look misses the caches
 *     list       object -> object -> object -> ...      each waits for the one before
 *     balanced   object -> two objects -> four ...      a tree
 *
 * churn allocates 64 B objects that die at once: what an allocation costs, with the collections that it causes. stores
 * and marked store pointers into a table, from which nothing is dropped: what the write barrier costs while it is off,
 * and while one collection follows the other. */
#include "benchmarks/gc/collector.h"

struct object {
    struct object *next, *other;
    uint64_t words[6];
};

static struct type value_type = { .name = "value", .size_b = sizeof(struct object) };
static struct type object_type;
static struct type object_type = { .name = "object", .size_b = sizeof(struct object),
                                   MEMBERS({ "next", offsetof(struct object, next), &object_type },
                                           { "other", offsetof(struct object, other), &object_type }) };
static struct type table_type = { .name = "table", .size_b = sizeof(void *), MEMBERS({ "slot", 0, &object_type }) };
static struct type *const types[] = { &value_type, &object_type, &table_type };

static void *top;
static struct object **table;
static const struct root roots[] = { { "top", &top, &object_type }, { "table", &table, &table_type } };
static uint64_t n;

static uint64_t live_b(void)
{
    return n * sizeof(struct object);
}

FUNCTION(uint64_t, set_up_values, 96, uint64_t live, uint64_t seed)
{
    (void) seed;
    n = live / sizeof(struct object);
    STORE(top, new_array(&value_type, n));
    return n;
}

FUNCTION(uint64_t, set_up_ordered, 96, uint64_t live, uint64_t seed)
{
    (void) seed;
    n = live / sizeof(struct object);
    STORE(table, new_array(&table_type, n));
    for (uint64_t i = 0; i < n; i++)
        STORE(table[i], new_object(&object_type));
    return n;
}

FUNCTION(uint64_t, set_up_shuffled, 128, uint64_t live, uint64_t seed)
{
    uint64_t made = set_up_ordered(live, seed);

    for (uint64_t i = n; i > 1; i--) {
        uint64_t k = amp_random_below(&seed, i);
        struct object *one = table[i - 1];

        STORE(table[i - 1], table[k]);
        STORE(table[k], one);
    }
    return made;
}

FUNCTION(uint64_t, set_up_list, 96, uint64_t live, uint64_t seed)
{
    (void) seed;
    n = live / sizeof(struct object);
    for (uint64_t i = 0; i < n; i++) {
        struct object *object = new_object(&object_type);

        STORE(object->next, top);
        STORE(top, object);
    }
    return n;
}

FUNCTION(struct object *, make_balanced, 96, uint64_t objects)
{
    struct object *object;

    if (objects == 0)
        return NULL;
    object = new_object(&object_type);
    STORE(object->next, make_balanced((objects - 1) / 2));
    STORE(object->other, make_balanced(objects - 1 - (objects - 1) / 2));
    return object;
}

FUNCTION(uint64_t, set_up_balanced, 96, uint64_t live, uint64_t seed)
{
    (void) seed;
    n = live / sizeof(struct object);
    STORE(top, make_balanced(n));
    return n;
}

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
    struct object *one = table[0], *other = table[1];
    uint64_t sum = mutator;

    for (uint64_t done = 0; done < bytes; done += sizeof(void *)) {
        uint64_t at = 2 + done / sizeof(void *) % 1024;

        STORE(table[at], done & 8 ? one : other);
        sum += done;
    }
    return sum;
}

#define SHAPE(shape, what, ...)                                                                                        \
    const struct workload shape = { .name = #shape, .purpose = what, .mutators = 1, .types = types,                    \
                                    .n_types = sizeof types / sizeof *types, .roots = roots,                           \
                                    .n_roots = sizeof roots / sizeof *roots, .live_b = live_b, __VA_ARGS__ }

SHAPE(values, "One array without a pointer.", .set_up = set_up_values);
SHAPE(ordered, "A table of pointers, in the order of the objects.", .set_up = set_up_ordered);
SHAPE(shuffled, "A table of pointers, in random order.", .set_up = set_up_shuffled);
SHAPE(list, "A list.", .set_up = set_up_list);
SHAPE(balanced, "A balanced tree.", .set_up = set_up_balanced);
SHAPE(stores, "Stores of pointers.", .set_up = set_up_ordered, .run = stores_run);
SHAPE(marked, "Stores of pointers while it is marked.", .set_up = set_up_ordered, .run = stores_run, .collected = true);
SHAPE(churn, "Objects that die at once.", .set_up = set_up_values, .run = churn_run);
