/* SPDX-License-Identifier: MIT
 *
 * An object of a class of C++, handed to a function or back: what its copy constructor costs against a reference, a
 * move and an out-parameter.
 *
 *   class_read           by value   caller --copy--> parameter            copied and destroyed by the caller
 *                        const &    caller --[ & ]-> callee
 *
 *   class_keep           by value   caller --copy--> parameter --move--> kept      the callee moves its copy in
 *                        const &    caller --[ & ]-> callee    --copy--> kept      the callee assigns, and may reuse
 *                                                                                  what the kept object has
 *   class_hand_over      by value   caller --move--> parameter --move--> kept      the caller needs it no longer
 *                        &&         caller --[ & ]-> callee    --move--> kept
 *
 *   class_move           copy       old place --copy--> new place         then the old one is destroyed, as when a
 *                        move       old place --move--> new place         vector grows
 *
 *   class_return         returned   callee makes it in the caller's local (no copy, no move)
 *                        out        caller makes a default object, the callee assigns to it
 *
 *   class_return_stored  returned   callee makes a temporary --move--> object that is there already
 *                        out        the callee assigns to that object, and may reuse what it has
 *
 * Same on both sides:  the object, a call that is not inlined, a read of one byte.
 * Different:           which constructors, assignments and destructors run.
 *
 * A new object is a copy of a model, or, of a class that cannot be copied, made by the expression of the user. ask
 * compiles one pair at a time (-DASK_CLASS_READ), so that pairs share no function of the class; the layouts of a pair
 * are then designed for its functions alone. What an operation allocates follows from the class: it is counted, and
 * nothing is declared. An object of a class with virtual functions belongs to the module that made it, and calls that
 * module's; all modules stay loaded.
 *
 * ask/class_lessons.py writes the header that declares amp_asked, AMP_ASKED_MADE and AMP_ASKED_NEW(model). */
#include "harness/kernel.h"

typedef amp_asked subject;

#if defined(ASK_CLASS_KEEP) || defined(ASK_CLASS_RETURN_STORED)
enum { ASK_OBJECTS = 3 }; /* two models, by turns, and what is kept or stored */
#else
enum { ASK_OBJECTS = 1 };
#endif

/* Of one object: what moves, moves from one place to the next and back. Of three: an object that is assigned what it
 * holds already may do nothing, so the models take turns. */
struct ask_places {
    alignas(subject) unsigned char memory[3][sizeof(subject)];
    unsigned full; /* the place with the object, 0 or 1; of three: the model whose turn it is */
};

static inline void *ask_set_up(size_t)
{
    const size_t alignment = alignof(ask_places) < 16 ? 16 : alignof(ask_places);
    ask_places *places =
        static_cast<ask_places *>(aligned_alloc(alignment, (sizeof *places + alignment - 1) / alignment * alignment));

    if (!places)
        _exit(AMP_EXIT_NO_MEMORY);
    memset(static_cast<void *>(places), 0, sizeof *places);
    for (unsigned i = 0; i < ASK_OBJECTS; i++)
        ::new (static_cast<void *>(places->memory[i])) subject(AMP_ASKED_MADE);
    return places;
}

static AMP_ALWAYS_INLINE subject *ask_object(ask_places *places, unsigned place)
{
    return reinterpret_cast<subject *>(places->memory[place]);
}

static inline void ask_tear_down(void *fixture)
{
    ask_places *places = static_cast<ask_places *>(fixture);

    for (unsigned i = 0; i < ASK_OBJECTS; i++)
        ask_object(places, ASK_OBJECTS == 1 ? places->full : i)->~subject();
    free(places);
}

/* A byte is read, and not added up: it may belong to an address. */
static AMP_ALWAYS_INLINE uint64_t ask_read(const subject &object)
{
    const unsigned char *first = &reinterpret_cast<const unsigned char &>(object);

    amp_keep(first);
    __asm__ volatile("" : : "r"(*first));
    return 1;
}

#define ASK_SIDE(side, named)                                                                                          \
    { .run = side, .allocs_per_op = AMP_ANY, .bytes_per_op = AMP_ANY, .set_up = ask_set_up,                            \
      .tear_down = ask_tear_down, .label = named }

#define ASK_PAIR(pair, text, value_named, pointer_named)                                                               \
    AMP_PAIR(pair, .question = text, .value = ASK_SIDE(run_value, value_named),                                        \
             .pointer = ASK_SIDE(run_pointer, pointer_named), .sizes = AMP_SIZES(sizeof(subject)))

/* Both kernels: `operation` has the object in `now`; in `other` a place without one, or the model whose turn is next;
 * in `kept` what is assigned to. */
#define ASK_RUN(side, operation)                                                                                       \
    static uint64_t run_##side(void *fixture, uint64_t ops)                                                            \
    {                                                                                                                  \
        ask_places *places = static_cast<ask_places *>(fixture);                                                       \
        subject *now = ask_object(places, places->full), *other = ask_object(places, 1 - places->full);                \
        subject *kept = ask_object(places, 2);                                                                         \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        (void) other;                                                                                                  \
        (void) kept;                                                                                                   \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            amp_keep(places);                                                                                          \
            operation;                                                                                                 \
        }                                                                                                              \
        places->full = now == ask_object(places, 1);                                                                   \
        return sum;                                                                                                    \
    }

/* The object now lives in the other place. */
#define ASK_MOVED_ON                                                                                                   \
    now->~subject();                                                                                                   \
    sum += ask_read(*other);                                                                                           \
    ASK_SWAP

#define ASK_SWAP                                                                                                       \
    subject *before = now;                                                                                             \
    now = other;                                                                                                       \
    other = before

#define ASK_CONST(object) static_cast<const subject &>(object)
#define ASK_MOVED(object) static_cast<subject &&>(object)

#if defined(ASK_CLASS_READ)

static AMP_NOINLINE uint64_t take_value(subject object)
{
    return ask_read(object);
}

static AMP_NOINLINE uint64_t take_reference(const subject &object)
{
    return ask_read(object);
}

ASK_RUN(value, sum += take_value(ASK_CONST(*now)))
ASK_RUN(pointer, sum += take_reference(*now))
ASK_PAIR(class_read, "What does an argument cost by value, and what by const reference, if the callee reads it?",
         "by value", "by const &");

#elif defined(ASK_CLASS_KEEP)

static AMP_NOINLINE void keep_value(subject object, subject &kept)
{
    kept = ASK_MOVED(object);
}

static AMP_NOINLINE void keep_reference(const subject &object, subject &kept)
{
    kept = object;
}

ASK_RUN(value, keep_value(ASK_CONST(*now), *kept); sum += ask_read(*kept); ASK_SWAP)
ASK_RUN(pointer, keep_reference(*now, *kept); sum += ask_read(*kept); ASK_SWAP)
ASK_PAIR(class_keep, "What does an argument cost by value, and what by const reference, if the callee keeps it?",
         "by value", "by const &");

#elif defined(ASK_CLASS_HAND_OVER)

static AMP_NOINLINE void hand_value(subject object, void *to)
{
    ::new (to) subject(ASK_MOVED(object));
}

static AMP_NOINLINE void hand_reference(subject &&object, void *to)
{
    ::new (to) subject(ASK_MOVED(object));
}

ASK_RUN(value, hand_value(ASK_MOVED(*now), other); ASK_MOVED_ON)
ASK_RUN(pointer, hand_reference(ASK_MOVED(*now), other); ASK_MOVED_ON)
ASK_PAIR(class_hand_over, "What does handing an object over cost by value, and what by rvalue reference?", "by value",
         "by &&");

#elif defined(ASK_CLASS_MOVE)

static AMP_NOINLINE void place_copy(const subject &object, void *to)
{
    ::new (to) subject(object);
}

static AMP_NOINLINE void place_moved(subject &&object, void *to)
{
    ::new (to) subject(ASK_MOVED(object));
}

ASK_RUN(value, place_copy(*now, other); ASK_MOVED_ON)
ASK_RUN(pointer, place_moved(ASK_MOVED(*now), other); ASK_MOVED_ON)
ASK_PAIR(class_move, "What does copying an object to another place cost, and what does moving it there?", "copied",
         "moved");

#elif defined(ASK_CLASS_RETURN) || defined(ASK_CLASS_RETURN_STORED)

static AMP_NOINLINE subject make_value(const subject &model)
{
    subject made(AMP_ASKED_NEW(model));

    amp_keep(&reinterpret_cast<const char &>(made));
    return made;
}

static AMP_NOINLINE void make_out(subject &out, const subject &model)
{
    out = AMP_ASKED_NEW(model);
    amp_keep(&reinterpret_cast<const char &>(out));
}

#ifdef ASK_CLASS_RETURN

ASK_RUN(value, const subject &made = make_value(*now); sum += ask_read(made))
ASK_RUN(pointer, subject made; make_out(made, *now); sum += ask_read(made))
ASK_PAIR(class_return, "What does a new object cost if it is returned, and what if an out-parameter is filled?",
         "returned", "out-parameter");

#else

ASK_RUN(value, *kept = make_value(*now); sum += ask_read(*kept); ASK_SWAP)
ASK_RUN(pointer, make_out(*kept, *now); sum += ask_read(*kept); ASK_SWAP)
ASK_PAIR(class_return_stored,
         "What does a new object cost if it is returned and assigned, and what if it is made in place of the old one?",
         "returned", "out-parameter");

#endif

#endif
