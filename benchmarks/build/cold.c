/* SPDX-License-Identifier: MIT
 *
 * `pass` and `factory` with cold caches: each operation takes another object out of a set of them.
 *
 *   pass_cold        value     memory [word ... word ...] --copy--> callee reads its copy    all lines come from memory
 *                    pointer   memory [word ... word ...] <---&---- callee reads them there  all lines come from memory
 *
 *   pass_cold_part   value     memory [first ... last] ----copy---> callee      all lines come from memory
 *                    pointer   memory [first ... last] <---&------- callee      only the two that are read
 *
 *   factory_cold     value     memory [model] ----copy---> caller's frame
 *                    pointer   memory [model] ----copy---> [object] on the heap, which is warm: 1 allocation
 *
 * Same on both sides:  as in `pass` and `factory`; the objects, in an order in which the next is known only when the
 *                      last has been read. pass_cold: one word of each line is read, so both sides touch the same
 *                      lines.
 * Different:           pass_cold: the copy, whose loads bring the lines that the callee would have waited for.
 *                      pass_cold_part: also how many lines come from memory. factory_cold: as in `factory`.
 *
 * Each side is cold by itself, whatever the other one does: the lines that it touches are 64 MiB, which most caches do
 * not hold. In pass_cold_part these are the pointer side's, two of each object.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/build/cold.c"
#define PART_B 512
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == PART_B || (n) == 4096 || (n) == 8192)
#include "harness/subjects.h"

#include <sys/mman.h>

#ifdef AMP_SUBJECT

#define LINE_B 64
#define TOUCHED_B ((size_t) 64 << 20)
#define HUGE_PAGE_B ((size_t) 2 << 20)
#if AMP_SUBJECT_B == PART_B
#define OBJECTS (TOUCHED_B / (2 * LINE_B))
#else
#define OBJECTS (TOUCHED_B / sizeof(subject))
#endif
#define set AMP_NAME(set)
#define read_lines AMP_NAME(read_lines)
#define take_value AMP_NAME(take_value)
#define take_pointer AMP_NAME(take_pointer)
#define make_value AMP_NAME(make_value)
#define make_pointer AMP_NAME(make_pointer)
#define run_factory_value AMP_NAME(run_factory_value)
#define run_factory_pointer AMP_NAME(run_factory_pointer)
#define next AMP_NAME(next)
#define set_up_set AMP_NAME(set_up_set)
#define tear_down_set AMP_NAME(tear_down_set)

struct set {
    subject *objects; /* [OBJECTS], every byte 1 */
    uint64_t at;
};

/* A walk over all objects, a power of two of them, that needs an odd addend for its full period. */
static inline uint64_t next(uint64_t at, uint64_t read)
{
    return (at * 6364136223846793005u + (read | 1)) % OBJECTS;
}

static AMP_ALWAYS_INLINE uint64_t read_lines(const subject *object)
{
#if AMP_SUBJECT_B == PART_B
    return amp_ends(object);
#else
    uint64_t sum = 0;

    for (size_t k = 0; k < AMP_SUBJECT_MEMBERS; k += LINE_B / sizeof(AMP_MEMBER))
        sum += amp_member(object, k);
    return sum;
#endif
}

static AMP_NOINLINE uint64_t take_value(subject object)
{
    return read_lines(&object);
}

static AMP_NOINLINE uint64_t take_pointer(const subject *object)
{
    return read_lines(object);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct set *s = fixture;
    uint64_t sum = 0, at = s->at;

    for (uint64_t i = ops; i > 0; i--) {
        uint64_t read = take_value(*amp_object(&s->objects[at]));

        sum += read + at;
        at = next(at, read);
    }
    s->at = at;
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct set *s = fixture;
    uint64_t sum = 0, at = s->at;

    for (uint64_t i = ops; i > 0; i--) {
        uint64_t read = take_pointer(amp_object(&s->objects[at]));

        sum += read + at;
        at = next(at, read);
    }
    s->at = at;
    return sum;
}

/* In huge pages if possible: with small ones, reaching one fixture may take 15 % longer than reaching the other. */
static void *set_up_set(size_t size)
{
    struct set *s = amp_alloc(sizeof *s);

    *s = (struct set){ .objects = aligned_alloc(HUGE_PAGE_B, OBJECTS * size) };
    if (!s->objects)
        _exit(AMP_EXIT_NO_MEMORY);
    (void) madvise(s->objects, OBJECTS * size, MADV_HUGEPAGE); /* a wish */
    memset(s->objects, 1, OBJECTS * size);
    return s;
}

static void tear_down_set(void *fixture)
{
    struct set *s = fixture;

    free(s->objects);
    free(s);
}

#if AMP_SUBJECT_B == PART_B

AMP_PAIR(pass_cold_part,
         .question = "What does it cost to pass an argument that is in no cache, of which little is read: by value, "
                     "and by const pointer?",
         .value = { run_value, .calls = "take_value", .copied_b_per_op = sizeof(subject),
                    .set_up = set_up_set, .tear_down = tear_down_set },
         .pointer = { run_pointer, .calls = "take_pointer", .set_up = set_up_set, .tear_down = tear_down_set },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_POINTER, .text =
                      "Pass large objects by pointer: lines that nobody reads need not come from memory." }));

#else

static AMP_NOINLINE subject make_value(const subject *model)
{
    return *model;
}

static AMP_NOINLINE subject *make_pointer(const subject *model)
{
    subject *object = amp_alloc(sizeof *object);

    *object = *model;
    return object;
}

static uint64_t run_factory_value(void *fixture, uint64_t ops)
{
    struct set *s = fixture;
    uint64_t sum = 0, at = s->at;

    for (uint64_t i = ops; i > 0; i--) {
        const subject object = make_value(amp_object(&s->objects[at]));
        uint64_t read = amp_ends(&object);

        sum += read + at;
        at = next(at, read);
    }
    s->at = at;
    return sum;
}

static uint64_t run_factory_pointer(void *fixture, uint64_t ops)
{
    struct set *s = fixture;
    uint64_t sum = 0, at = s->at;

    for (uint64_t i = ops; i > 0; i--) {
        subject *object = make_pointer(amp_object(&s->objects[at]));
        uint64_t read = amp_ends(object);

        free(object);
        sum += read + at;
        at = next(at, read);
    }
    s->at = at;
    return sum;
}

AMP_PAIR(pass_cold,
         .question = "What does it cost to pass an argument that is in no cache, all lines of which are read: by "
                     "value, and by const pointer?",
         .value = { run_value, .calls = "take_value", .copied_b_per_op = sizeof(subject),
                    .set_up = set_up_set, .tear_down = tear_down_set },
         .pointer = { run_pointer, .calls = "take_pointer", .set_up = set_up_set, .tear_down = tear_down_set },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .to = 64, .text =
                      "Objects of one cache line cost nearly the same: the wait hides the copy." }));

AMP_PAIR(factory_cold,
         .question = "What does a new copy of an object that is in no cache cost as a value, and what as a pointer to "
                     "the heap?",
         .value = { run_factory_value, .calls = "make_value", .copied_b_per_op = sizeof(subject),
                    .set_up = set_up_set, .tear_down = tear_down_set },
         .pointer = { run_factory_pointer, .calls = "make_pointer malloc free",
                      .copied_b_per_op = sizeof(subject), .set_up = set_up_set, .tear_down = tear_down_set,
                      .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .text = "Both sides wait for memory, and the allocation is little beside that." }));

#endif
#undef OBJECTS
#endif
