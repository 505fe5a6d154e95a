/* SPDX-License-Identifier: MIT
 *
 * Insert an element into the middle of a sequence and remove it again: an array of elements, or a linked list.
 *
 *   value     [ e0 ][ e1 ]     [ e2 ][ e3 ]    half of the array moved up by one, and down again
 *                         [new]
 *   pointer   [ e0 ]-->[ e1 ]--x-->[ e2 ]-->[ e3 ]    two links changed, 1 allocation; but first a walk to the middle
 *                         `-->[new]--^
 *
 * Same on both sides:  the sequence, the place in its middle, the new element, the two numbers that are read.
 * Different:           the array finds the place at once and moves n / 2 elements of 64 B. The list moves none, but
 *                      walks over n / 2 of them. Its elements lie in the order of the list, which is the best case.
 *
 * The size is the number of elements.
 */
#include "harness/kernel.h"

struct element {
    int64_t number;
    int64_t rest[7];
};

struct node {
    struct node *next;
    struct element element;
};

struct sequence {
    size_t n;
    struct element *values; /* room for n + 1, or NULL */
    struct node first;      /* before the list's first element */
};

static AMP_NOINLINE void insert_value(struct sequence *s, size_t at, const struct element *element)
{
    memmove(s->values + at + 1, s->values + at, (s->n - at) * sizeof *s->values);
    s->values[at] = *element;
    s->n++;
}

static AMP_NOINLINE void remove_value(struct sequence *s, size_t at)
{
    s->n--;
    memmove(s->values + at, s->values + at + 1, (s->n - at) * sizeof *s->values);
}

static inline struct node *walk(struct sequence *s, size_t at)
{
    struct node *node = &s->first;

    for (; at > 0; at--) {
        node = node->next;
        amp_keep(node);
    }
    return node;
}

static AMP_NOINLINE struct node *insert_pointer(struct sequence *s, size_t at, const struct element *element)
{
    struct node *before = walk(s, at), *node = amp_alloc(sizeof *node);

    *node = (struct node){ .next = before->next, .element = *element };
    before->next = node;
    s->n++;
    return before;
}

static AMP_NOINLINE void remove_pointer(struct sequence *s, struct node *before)
{
    struct node *node = before->next;

    before->next = node->next;
    free(node);
    s->n--;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct sequence *s = fixture;
    struct element element = { 0 };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        size_t at = s->n / 2;

        element.number = (int64_t) i;
        insert_value(s, at, &element);
        sum += (uint64_t) (s->values[at].number + s->values[at + 1].number);
        remove_value(s, at);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct sequence *s = fixture;
    struct element element = { 0 };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct node *before;

        element.number = (int64_t) i;
        before = insert_pointer(s, s->n / 2, &element);
        sum += (uint64_t) (before->next->element.number + before->next->next->element.number);
        remove_pointer(s, before);
    }
    return sum;
}

static void *set_up_value(size_t n)
{
    struct sequence *s = amp_alloc(sizeof *s);

    *s = (struct sequence){ .n = n, .values = amp_alloc((n + 1) * sizeof *s->values) };
    for (size_t k = 0; k < n; k++)
        s->values[k] = (struct element){ .number = (int64_t) k };
    return s;
}

static void *set_up_pointer(size_t n)
{
    struct sequence *s = amp_alloc(sizeof *s);
    struct node *last = &s->first;

    *s = (struct sequence){ .n = n };
    for (size_t k = 0; k < n; k++) {
        last->next = amp_alloc(sizeof *last);
        last = last->next;
        *last = (struct node){ .element.number = (int64_t) k };
    }
    return s;
}

static void tear_down(void *fixture)
{
    struct sequence *s = fixture;

    while (s->first.next) {
        struct node *node = s->first.next;

        s->first.next = node->next;
        free(node);
    }
    free(s->values);
    free(s);
}

AMP_PAIR(collection_insert,
         .question = "What does it cost to insert into the middle of an array, and what into the middle of a linked "
                     "list?",
         .value = { run_value, .calls = "insert_value remove_value", .label = "array", .set_up = set_up_value,
                    .tear_down = tear_down },
         .pointer = { run_pointer, .calls = "insert_pointer malloc remove_pointer free",
                      .copied_b_per_op = sizeof(struct element) + 2 * sizeof(struct node *), .label = "list",
                      .set_up = set_up_pointer,
                      .tear_down = tear_down,
                      .allocs_per_op = 1, .bytes_per_op = sizeof(struct node) },
         .sizes = AMP_SIZES(16, 256, 65536), .size_unit = "elements",
         AMP_CLAIMS({ AMP_POINTER, .to = 256, .text =
                      "By the processor, a short list of large elements may win over an array, which moves them, or "
                      "the array over the list: measure." },
                    { AMP_VALUE, .from = 65536, .text =
                      "Use an array for long sequences: a list takes longer to find the place than an array to move "
                      "elements." }),
         .prefer = "A list is the answer if you already hold the node.");
