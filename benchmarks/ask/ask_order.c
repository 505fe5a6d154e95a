/* SPDX-License-Identifier: MIT
 *
 * The same members in the order of their declaration, and in an order that leaves less padding.
 *
 *   declared    [a . . . b b b b c . . .]    N bytes
 *   reordered   [b b b b a c . .]            fewer
 *
 *   ask_order_pass   passes one by value
 *   ask_order_walk   reads two members of one element of an array after the other
 *
 * Same on both sides:  the members, the two of them that are read, the number of elements.
 * Different:           the order of the members, and so the size of the object.
 *
 * AMP_REORDERED is the type with the other order, made by ask (ask/types/reorder.py). 1024 elements, or fewer if they
 * would take more than 1 MiB, but at least 16. */
#include "harness/kernel.h"
#include "harness/subjects.h"

#if defined(AMP_SUBJECT) && defined(AMP_REORDERED)

typedef AMP_REORDERED reordered;

#ifndef AMP_REORDERED_PASSED_B /* as AMP_SUBJECT_PASSED_B, of the other type */
#define REORDERED_PASSED_B AMP_ANY
#else
#define REORDERED_PASSED_B AMP_REORDERED_PASSED_B
#endif

#define MOST_B ((size_t) 1024 * 1024)
#define FITTING (MOST_B / sizeof(subject))
#define ELEMENTS (FITTING > 1024 ? 1024 : FITTING < 16 ? 16 : FITTING)

struct ask_array {
    void *elements; /* of one type or of the other */
    size_t next;
};

#define ASK_ORDER(order, type, ends)                                                                                   \
    static AMP_NOINLINE uint64_t ask_take_##order(type object)                                                         \
    {                                                                                                                  \
        return ends(&object);                                                                                          \
    }                                                                                                                  \
                                                                                                                       \
    static uint64_t ask_pass_##order(void *fixture, uint64_t ops)                                                      \
    {                                                                                                                  \
        const type *object = __builtin_assume_aligned(fixture, AMP_OBJECT_ALIGNMENT);                                  \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            amp_keep(object);                                                                                          \
            sum += ask_take_##order(*object);                                                                          \
        }                                                                                                              \
        return sum;                                                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static uint64_t ask_walk_##order(void *fixture, uint64_t ops)                                                      \
    {                                                                                                                  \
        struct ask_array *array = fixture;                                                                             \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        while (ops > 0) { /* by stretches, so that no side pays for an index */                                        \
            const size_t rest = ELEMENTS - array->next, n = ops < rest ? (size_t) ops : rest;                          \
            const type *object = (const type *) array->elements + array->next;                                         \
                                                                                                                       \
            for (size_t i = n; i > 0; i--, object++) {                                                                 \
                sum += ends(object);                                                                                   \
                amp_keep(object);                                                                                      \
            }                                                                                                          \
            array->next = (array->next + n) % ELEMENTS;                                                                \
            ops -= n;                                                                                                  \
        }                                                                                                              \
        return sum;                                                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static void *ask_elements_##order(size_t n)                                                                        \
    {                                                                                                                  \
        type *made = aligned_alloc(AMP_OBJECT_ALIGNMENT, (n * sizeof *made + AMP_OBJECT_ALIGNMENT - 1) /               \
                                                             AMP_OBJECT_ALIGNMENT * AMP_OBJECT_ALIGNMENT);             \
                                                                                                                       \
        if (!made)                                                                                                     \
            _exit(AMP_EXIT_NO_MEMORY);                                                                                 \
        memset(made, 0, n * sizeof *made);                                                                             \
        for (size_t i = 0; i < n; i++)                                                                                 \
            amp_fill_##order(made + i);                                                                                \
        return made;                                                                                                   \
    }                                                                                                                  \
                                                                                                                       \
    static void *ask_one_set_up_##order(size_t size)                                                                   \
    {                                                                                                                  \
        (void) size;                                                                                                   \
        return ask_elements_##order(1);                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static void *ask_array_set_up_##order(size_t size)                                                                 \
    {                                                                                                                  \
        struct ask_array *array = amp_alloc(sizeof *array);                                                            \
                                                                                                                       \
        (void) size;                                                                                                   \
        *array = (struct ask_array){ ask_elements_##order(ELEMENTS), 0 };                                              \
        return array;                                                                                                  \
    }

ASK_ORDER(declared, subject, amp_ends)
ASK_ORDER(reordered, reordered, amp_reordered_ends)

static void ask_array_tear_down(void *fixture)
{
    struct ask_array *array = fixture;

    free(array->elements);
    free(array);
}

AMP_PAIR(ask_order_pass,
         .question = "What does it cost to pass an object by value as it is declared, and what with less padding?",
         .value = { ask_pass_declared, .calls = AMP_SUBJECT_CALLS("ask_take_declared", ""),
                    .copied_b_per_op = AMP_PASSED_B, .set_up = ask_one_set_up_declared, .tear_down = free,
                    .label = "declared" },
         .pointer = { ask_pass_reordered, .calls = AMP_SUBJECT_CALLS("ask_take_reordered", ""),
                      .copied_b_per_op = REORDERED_PASSED_B, .set_up = ask_one_set_up_reordered, .tear_down = free,
                      .label = "reordered" },
         .sizes = AMP_SUBJECT_SIZES);

AMP_PAIR(ask_order_walk,
         .question = "What does it cost to walk an array of objects as they are declared, and what with less padding?",
         .value = { ask_walk_declared, .calls = AMP_SUBJECT_CALLS("", ""), .set_up = ask_array_set_up_declared,
                    .tear_down = ask_array_tear_down, .label = "declared" },
         .pointer = { ask_walk_reordered, .calls = AMP_SUBJECT_CALLS("", ""), .set_up = ask_array_set_up_reordered,
                      .tear_down = ask_array_tear_down, .label = "reordered" },
         .sizes = AMP_SUBJECT_SIZES);

#endif
