/* SPDX-License-Identifier: MIT
 *
 * Parse a JSON document with jansson: into a struct that is returned, or into one on the heap.
 *
 *   value     text --jansson--> tree --read--> struct order --returned--> caller's frame
 *   pointer   text --jansson--> tree --read--> [ order ] on the heap, its address returned; the caller frees it
 *
 * Same on both sides:  the document, its parsing with all that jansson allocates for it, each member that is read.
 * Different:           1 allocation, and where the struct is; clang writes it there without a copy. The parser makes 58
 *                      to 721 allocations, so this hardly counts.
 *
 * The size is the number of items in the order. The counts are those of jansson 2.14.
 */
#ifndef ITEMS

#include "harness/kernel.h"

#include <jansson.h>
#include <stdio.h>

/* What jansson allocates and frees to parse a document of this many items: counted, and always the same. */
#define PARSER_ALLOCS(items) ((items) == 4 ? 58 : (items) == 16 ? 191 : 721)
#define PARSER_B(items) ((items) == 4 ? 2529 : (items) == 16 ? 8441 : 32345)

#define JANSSON                                                                                                        \
    " json_loads json_object_get* json_array_get* json_integer_value* json_real_value* json_string_value strncpy "     \
    "json_delete*"
#ifdef __clang__
#define RETURNED_B 0 /* made where the caller wants it */
#else
#define RETURNED_B sizeof(struct order) /* gcc copies an object whose address was known to others */
#endif

struct item {
    int64_t id, quantity;
    double price;
};

static void *set_up_text(size_t items)
{
    const size_t item_b = 64, rest_b = 64;
    char *text = amp_alloc(rest_b + items * item_b);
    int n = sprintf(text, "{\"id\": 4711, \"customer\": \"Ada Lovelace\", \"items\": [");

    for (size_t k = 0; k < items; k++)
        n += sprintf(text + n, "%s{\"id\": %d, \"quantity\": %d, \"price\": %d.5}", k > 0 ? ", " : "",
                     1000 + (int) (k % 9000), 1 + (int) (k % 9), 10 + (int) (k % 90));
    sprintf(text + n, "]}");
    return text;
}

static inline json_t *parse(const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);

    if (!tree)
        _exit(AMP_EXIT_NO_MEMORY); /* the text is good */
    return tree;
}

static inline void read_item(const json_t *from, struct item *out)
{
    out->id = json_integer_value(json_object_get(from, "id"));
    out->quantity = json_integer_value(json_object_get(from, "quantity"));
    out->price = json_real_value(json_object_get(from, "price"));
}

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, ITEMS)
#define order AMP_NAME(order)
#define read_order AMP_NAME(read_order)
#define total AMP_NAME(total)
#define decode_value AMP_NAME(decode_value)
#define decode_pointer AMP_NAME(decode_pointer)
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)

#define ITEMS 4
#include "benchmarks/sharing/decode.c"
#define ITEMS 16
#include "benchmarks/sharing/decode.c"
#define ITEMS 64
#include "benchmarks/sharing/decode.c"

#else /* the lesson, for one number of items */

struct order {
    int64_t id;
    char customer[24];
    struct item items[ITEMS];
};

static AMP_ALWAYS_INLINE void read_order(const json_t *tree, struct order *out)
{
    const json_t *items = json_object_get(tree, "items");

    out->id = json_integer_value(json_object_get(tree, "id"));
    strncpy(out->customer, json_string_value(json_object_get(tree, "customer")), sizeof out->customer - 1);
    for (size_t k = 0; k < ITEMS; k++)
        read_item(json_array_get(items, k), &out->items[k]);
}

static inline uint64_t total(const struct order *o)
{
    uint64_t sum = (uint64_t) o->id + (unsigned char) o->customer[0];

    for (size_t k = 0; k < ITEMS; k++)
        sum += (uint64_t) (o->items[k].id + (int64_t) ((double) o->items[k].quantity * o->items[k].price));
    return sum;
}

static AMP_NOINLINE struct order decode_value(const char *text)
{
    json_t *tree = parse(text);
    struct order o;

    read_order(tree, &o);
    json_decref(tree);
    return o;
}

static AMP_NOINLINE struct order *decode_pointer(const char *text)
{
    json_t *tree = parse(text);
    struct order *o = amp_alloc(sizeof *o);

    read_order(tree, o);
    json_decref(tree);
    return o;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const char *text = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        const struct order o = decode_value(text);

        sum += total(&o);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const char *text = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct order *o = decode_pointer(text);

        sum += total(o);
        free(o);
    }
    return sum;
}

AMP_PAIR(decode,
         .question = "What does it cost to parse a JSON document into a struct that is returned, and what into one on "
                     "the heap?",
         .value = { run_value, .calls = "decode_value" JANSSON, .copied_b_per_op = RETURNED_B,
                    .set_up = set_up_text, .tear_down = free,
                    .allocs_per_op = PARSER_ALLOCS(ITEMS), .bytes_per_op = PARSER_B(ITEMS) },
         .pointer = { run_pointer, .calls = "decode_pointer malloc free" JANSSON, .set_up = set_up_text,
                      .tear_down = free,
                      .allocs_per_op = PARSER_ALLOCS(ITEMS) + 1,
                      .bytes_per_op = PARSER_B(ITEMS) + sizeof(struct order) },
         .sizes = AMP_SIZES(ITEMS), .size_unit = "items",
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "Write what reads best: the parser takes so long that the difference does not matter." }),
         .prefer = "A struct returned by value needs no free() and cannot leak.");

#undef ITEMS
#endif
