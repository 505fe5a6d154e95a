/* SPDX-License-Identifier: MIT
 *
 * Collect a heap in which everything is alive: what it costs follows from its shape. Marking goes from object to
 * object; what has no pointer is not looked into.
 *
 *   mark_values     [64 B][64 B][64 B]...              |   [ * ][ * ][ * ]... -> [64 B], one object each
 *   mark_layout     [ 1 ..][ 2 ..][ 3 ..]... numbers   |   [ & ..][ & ..][ & ..]... addresses, in the same array
 *   mark_pointers   [ * ][ * ]... -> [8 words]         |   [ * ][ * ]... -> [two pointers, 6 words]
 *   mark_order      [ * ][ * ]... -> in their order    |   [ * ][ * ]... -> in random order
 *   mark_list       [ * ][ * ]... -> object            |   object -> object -> object -> ...
 *   mark_tree       [ * ][ * ]... -> object            |   object -> two objects -> four ...
 *
 * Same on both sides:  so many bytes in objects of 64 B, all of them alive; who collects, and how often. Nobody else
 *                      runs. The objects of the last three have two pointers, most of them NULL where a table leads
 *                      to them.
 * Different:           how many objects there are and which words are pointers (the first two); which words of an
 *                      object are pointers (the third); in which order the marker comes to them, and from where. A
 *                      table is 8 B for each object, and is marked, too.
 *
 * An operation is a whole collection: both stops, marking, sweeping. */
#include "benchmarks/collected/heap.h"

struct fixture {
    struct heap heap;
    uint64_t table_b;
};

/* All of it is still there. */
static uint64_t run(void *memory, uint64_t ops)
{
    struct fixture *f = memory;
    struct amp_gc_stats stats;

    for (uint64_t i = ops; i > 0; i--)
        must(amp_gc_collect(f->heap.gc));
    amp_gc_stats(f->heap.gc, &stats);
    return ops + stats.live_b - f->table_b;
}

/* As make_values(), and each object names the next one: by its number, or its address. */
FUNCTION(uint64_t, make_numbers, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    uint64_t n = make_values(s, live, seed);
    struct object *objects = s->top;

    for (uint64_t i = 0; i + 1 < n; i++)
        objects[i].words[0] = i + 1;
    return n;
}

FUNCTION(uint64_t, make_addresses, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    struct object *objects;
    uint64_t n;

    s->value = s->object;
    n = make_values(s, live, seed);
    objects = s->top;
    for (uint64_t i = 0; i + 1 < n; i++)
        STORE(objects[i].next, &objects[i + 1]);
    return n;
}

FUNCTION(uint64_t, make_table_of_values, 96, struct shape *s, uint64_t live, uint64_t seed)
{
    uint64_t n;

    s->object = s->value;
    n = make_ordered(s, live, seed);
    amp_keep(s);
    return n;
}

static void *set_up(size_t live_b, heap_make *make, bool has_table)
{
    struct fixture *f = amp_alloc(sizeof *f);

    heap_begin(&f->heap);
    heap_build(&f->heap, make, live_b);
    f->table_b = has_table ? live_b / sizeof(struct object) * sizeof(void *) : 0;
    return f;
}

#define SET_UP(shape, has_table)                                                                                       \
    static void *set_up_##shape(size_t live_b)                                                                         \
    {                                                                                                                  \
        return set_up(live_b, make_##shape, has_table);                                                                \
    }

SET_UP(values, false)
SET_UP(numbers, false)
SET_UP(addresses, false)
SET_UP(table_of_values, true)
SET_UP(ordered, true)
SET_UP(shuffled, true)
SET_UP(list, false)
SET_UP(balanced, false)

static void tear_down(void *memory)
{
    struct fixture *f = memory;

    heap_end(&f->heap);
    free(f);
}

#define SIDE(of, ...)                                                                                                  \
    { run, .calls = "amp_gc_collect", .set_up = of, .tear_down = tear_down, .collected = heap_count, __VA_ARGS__ }
#define SIZES AMP_SIZES(256 << 10, 4 << 20)

AMP_PAIR(mark_values,
         .question = "What does it cost to collect a heap of values in one array, and of objects with a pointer to "
                     "each?",
         .value = SIDE(set_up_values), .pointer = SIDE(set_up_table_of_values), .sizes = SIZES,
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Keep values in arrays: an array without pointers is one object to the collector, however "
                      "long." }));

AMP_PAIR(mark_layout,
         .question = "What does it cost to collect an array whose elements name each other by number, and by address?",
         .value = SIDE(set_up_numbers, .label = "numbers"), .pointer = SIDE(set_up_addresses, .label = "addresses"),
         .sizes = SIZES,
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Where a structure lives in one array, let it link by index: the collector need not look "
                      "at it." }));

AMP_PAIR(mark_pointers,
         .question = "What does it cost to collect objects without a pointer, and with two that are NULL?",
         .value = SIDE(set_up_table_of_values, .label = "no pointers"),
         .pointer = SIDE(set_up_ordered, .label = "two pointers"), .sizes = SIZES,
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Keep pointers out of objects that there are many of: even NULL has to be looked at." }));

AMP_PAIR(mark_order,
         .question = "What does it cost to collect objects in the order of their addresses, and in random order?",
         .value = SIDE(set_up_ordered, .label = "in order"), .pointer = SIDE(set_up_shuffled, .label = "shuffled"),
         .sizes = SIZES,
         AMP_CLAIMS({ AMP_VALUE, .from = 4 << 20, .text =
                      "Where the heap is larger than the caches, marking in random order costs more: make together "
                      "what lives together." }));

AMP_PAIR(mark_list,
         .question = "What does it cost to collect a table of pointers, and a list?",
         .value = SIDE(set_up_ordered, .label = "table"), .pointer = SIDE(set_up_list, .label = "list"), .sizes = SIZES,
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "A list is marked one object after the other: nothing can be fetched ahead, or shared." }));

AMP_PAIR(mark_tree,
         .question = "What does it cost to collect a table of pointers, and a tree?",
         .value = SIDE(set_up_ordered, .label = "table"), .pointer = SIDE(set_up_balanced, .label = "tree"),
         .sizes = SIZES,
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "By the processor, a tree costs the marker more than a table of the same objects, or less." }));
