/* SPDX-License-Identifier: MIT
 *
 * Store pointers into an object on a heap that is collected (harness/gc/gc.h): as they are, or through the write
 * barrier, while no collection runs.
 *
 *   value     object.field = pointer                                     a store
 *   pointer   does it mark? --no--> object.field = pointer               a load, a branch, a store
 *                  `--yes--> shade what the field held, and the pointer
 *
 * Same on both sides:  the object, its fields, the two pointers that are stored by turns.
 * Different:           a load of one word that is the same for all stores, and a branch that is never taken. */
#include "harness/gc/gc.h"
#include "harness/kernel.h"

#define FIELDS 64

struct fixture {
    uint64_t *fields[FIELDS];
    uint64_t targets[2];
};

/* A field for each operation; the second loop reads back what the last ones stored. */
#define STORES(store)                                                                                                  \
    {                                                                                                                  \
        struct fixture *f = memory;                                                                                    \
                                                                                                                       \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            uint64_t **field = &f->fields[i % FIELDS], *target = &f->targets[(i ^ i / FIELDS) % 2];                    \
                                                                                                                       \
            store;                                                                                                     \
            amp_keep(field);                                                                                           \
        }                                                                                                              \
        return read_back(f) + ops;                                                                                     \
    }

static AMP_NOINLINE uint64_t read_back(const struct fixture *f)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < FIELDS; i++)
        sum += *f->fields[i] * (i + 1);
    return sum;
}

static uint64_t run_value(void *memory, uint64_t ops)
    STORES(__atomic_store_n(field, target, __ATOMIC_RELEASE)) /* as the barrier stores */

static uint64_t run_pointer(void *memory, uint64_t ops)
    STORES(amp_gc_store(field, target))

static void *set_up(size_t size)
{
    struct fixture *f = amp_alloc(sizeof *f);

    for (size_t i = 0; i < FIELDS; i++)
        f->fields[i] = &f->targets[0];
    f->targets[0] = size;
    f->targets[1] = size + 1;
    return f;
}

AMP_PAIR(write_barrier,
         .question = "What does a store of a pointer cost without a write barrier, and with one that is off?",
         .value = { run_value, .calls = "", .label = "plain", .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .label = "barrier", .calls = "amp_gc_store_marking*", .set_up = set_up,
                      .tear_down = free },
         .sizes = AMP_SIZES(8),
         AMP_CLAIMS({ AMP_NEITHER, .text = "A write barrier that is off costs less than half a nanosecond a store." }),
         .prefer = "Store pointers less often, or reuse objects: what counts is the barrier while it marks.");
