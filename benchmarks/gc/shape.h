/* SPDX-License-Identifier: MIT
 *
 * The same live bytes in five shapes, 64 B an object: for the workloads of `gc` and for the lessons about marking.
 *
 *     values     [64 B][64 B][64 B]...                  one array without a pointer: nothing to look at
 *     ordered    [ * ][ * ][ * ]... -> object           a table of pointers, in the order of the objects
 *     shuffled   [ * ][ * ][ * ]... -> object           in random order: each look misses the caches
 *     list       object -> object -> object -> ...      each waits for the one before
 *     balanced   object -> two objects -> four ...      a tree
 *
 * Each make_<shape>(shape, live, seed) allocates `live` bytes of objects, and returns how many they are. */
#ifndef GC_SHAPE_H
#define GC_SHAPE_H

#include "benchmarks/gc/collector.h"

struct object {
    struct object *next, *other;
    uint64_t words[6];
};

static const struct member object_members[] = { { "next", offsetof(struct object, next) },
                                                { "other", offsetof(struct object, other) } };
static const struct member table_members[] = { { "slot", 0 } };

#define VALUE_TYPE { .name = "value", .size_b = sizeof(struct object) }
#define OBJECT_TYPE                                                                                                    \
    { .name = "object", .size_b = sizeof(struct object), .members = object_members,                                    \
      .n_members = sizeof object_members / sizeof *object_members }
#define TABLE_TYPE { .name = "table", .size_b = sizeof(void *), .members = table_members, .n_members = 1 }

struct shape {
    void *top;             /* of values, a list, a tree; a root */
    struct object **table; /* of pointers; a root */
    const struct type *value, *object, *slot; /* the array's, that of each object by itself, the table's */
    uint64_t n;
};

FUNCTION(uint64_t, make_values, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    (void) seed;
    s->n = live / sizeof(struct object);
    STORE(s->top, new_array(s->value, s->n));
    return s->n;
}

FUNCTION(uint64_t, make_ordered, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    (void) seed;
    s->n = live / sizeof(struct object);
    STORE(s->table, new_array(s->slot, s->n));
    for (uint64_t i = 0; i < s->n; i++)
        STORE(s->table[i], new_object(s->object));
    return s->n;
}

FUNCTION(uint64_t, make_shuffled, 128, struct shape *s, uint64_t live, uint64_t seed)
{
    uint64_t made = make_ordered(s, live, seed);

    for (uint64_t i = s->n; i > 1; i--) {
        uint64_t k = amp_random_below(&seed, i);
        struct object *one = s->table[i - 1];

        STORE(s->table[i - 1], s->table[k]);
        STORE(s->table[k], one);
    }
    return made;
}

FUNCTION(uint64_t, make_list, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    (void) seed;
    s->n = live / sizeof(struct object);
    for (uint64_t i = 0; i < s->n; i++) {
        struct object *object = new_object(s->object);

        STORE(object->next, s->top);
        STORE(s->top, object);
    }
    return s->n;
}

FUNCTION(struct object *, make_nodes, 96, const struct type *type, uint64_t objects)
{
    struct object *object;

    if (objects == 0)
        return NULL;
    object = new_object(type);
    STORE(object->next, make_nodes(type, (objects - 1) / 2));
    STORE(object->other, make_nodes(type, objects - 1 - (objects - 1) / 2));
    return object;
}

FUNCTION(uint64_t, make_balanced, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    (void) seed;
    s->n = live / sizeof(struct object);
    STORE(s->top, make_nodes(s->object, s->n));
    return s->n;
}

#endif
