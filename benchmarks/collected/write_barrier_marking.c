/* SPDX-License-Identifier: MIT
 *
 * write_barrier while a collection marks: each store then shades what the field held and what it will hold, so that
 * neither is lost to the marker.
 *
 *   off   collect [mark ... mark]  store store store ...      a load, a branch, a store
 *   on    collect [mark  store store store ...  mark]         a call, two mark bits that are looked at, a store
 *
 * Same on both sides:  a collection of a table of 64 fields and the objects behind it; 1,024 stores of two pointers by
 *                      turns into the table.
 * Different:           whether the stores come after the collection or in its middle.
 *
 * An operation is the collection with the 1,024 stores. */
#include "benchmarks/collected/heap.h"

#define FIELDS 64
#define STORES 1024

struct fixture {
    struct heap heap;
};

struct job {
    struct fixture *f;
    uint64_t ops;
};

static AMP_ALWAYS_INLINE void begin(struct amp_gc *gc)
{
    must_here(amp_gc_step(gc, 1) == 1 ? 0 : -1);
}

static AMP_ALWAYS_INLINE void end(struct amp_gc *gc)
{
    int more;

    while ((more = amp_gc_step(gc, UINT64_MAX)) > 0)
        ;
    must_here(more);
}

static AMP_ALWAYS_INLINE void store(struct object **table, uint64_t from)
{
    struct object *one = table[FIELDS], *other = table[FIELDS + 1];

    for (uint64_t k = 0; k < STORES; k++)
        amp_gc_store(&table[k % FIELDS], (from + k + k / FIELDS) % 2 ? one : other);
}

static AMP_ALWAYS_INLINE uint64_t read_back(struct object *const *table)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < FIELDS; i++)
        sum += table[i]->words[0] * (i + 1);
    return sum;
}

#define LOOP(name, first, second)                                                                                      \
    AMP_GROWS(uint64_t, name, 160, void *arg)                                                                          \
    {                                                                                                                  \
        const struct job *j = arg;                                                                                     \
        struct amp_gc *gc = j->f->heap.gc;                                                                             \
        struct object **table = j->f->heap.shape.table;                                                                \
                                                                                                                       \
        for (uint64_t i = j->ops; i > 0; i--) {                                                                        \
            begin(gc);                                                                                                 \
            first;                                                                                                     \
            second;                                                                                                    \
        }                                                                                                              \
        return read_back(table);                                                                                       \
    }

LOOP(loop_off, end(gc), store(table, i))
LOOP(loop_on, store(table, i), end(gc))

#define RUN(name)                                                                                                      \
    static uint64_t run_##name(void *memory, uint64_t ops)                                                             \
    {                                                                                                                  \
        struct job j = { memory, ops };                                                                                \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        must(amp_gc_mutator_run(j.f->heap.mutator, loop_##name, &j, &sum));                                            \
        return sum + ops;                                                                                              \
    }

RUN(off)
RUN(on)

/* The two objects that are stored are the last of the table, which are not stored over. */
static void *set_up(size_t size)
{
    struct fixture *f = amp_alloc(sizeof *f);

    heap_begin(&f->heap);
    heap_build(&f->heap, make_ordered, (FIELDS + 2) * sizeof(struct object));
    for (unsigned i = 0; i < FIELDS + 2; i++)
        f->heap.shape.table[i]->words[0] = size + i;
    return f;
}

static void tear_down(void *memory)
{
    struct fixture *f = memory;

    heap_end(&f->heap);
    free(f);
}

#define SIDE(of, name) { of, .label = name, .set_up = set_up, .tear_down = tear_down, .collected = heap_count }

AMP_PAIR(write_barrier_marking,
         .question = "What do stores of pointers cost beside a collection that does not mark, and one that does?",
         .value = SIDE(run_off, "off"), .pointer = SIDE(run_on, "on"), .sizes = AMP_SIZES(STORES),
         .size_unit = "stores",
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "While a collection marks, a store of a pointer costs more: short cycles, and values in place of "
                      "pointers, keep that rare." }));
