/* SPDX-License-Identifier: MIT
 *
 * Make an invoice: return it by value, or as a new object on the heap.
 *
 *   value     callee --[id items price]--> caller      24 B, made in the caller's frame
 *   pointer   callee --[ & ]-------------> caller      8 B, 1 allocation, which the caller frees
 *                        `--> [id items price] on the heap
 *
 * Same on both sides:  the arithmetic, the three numbers that are written and read, a call that is not inlined.
 * Different:           where the invoice lives, and who must free it.
 */
#include "harness/kernel.h"

struct invoice {
    int64_t id, items, price;
};

static AMP_NOINLINE struct invoice make_value(int64_t id)
{
    return (struct invoice){ id, id & 7, id * 3 };
}

static AMP_NOINLINE struct invoice *make_pointer(int64_t id)
{
    struct invoice *invoice = amp_alloc(sizeof *invoice);

    *invoice = (struct invoice){ id, id & 7, id * 3 };
    return invoice;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        const struct invoice invoice = make_value((int64_t) i);

        sum += (uint64_t) (invoice.id + invoice.items * invoice.price);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        struct invoice *invoice = make_pointer((int64_t) i);

        sum += (uint64_t) (invoice->id + invoice->items * invoice->price);
        free(invoice);
    }
    return sum;
}

AMP_PAIR(invoice,
         .question = "What does it cost to return an invoice of 24 B by value, and what as a pointer to the heap?",
         .value = { run_value },
         .pointer = { run_pointer, .allocs_per_op = 1, .bytes_per_op = sizeof(struct invoice) },
         .sizes = AMP_SIZES(sizeof(struct invoice)));
