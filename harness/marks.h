/* SPDX-License-Identifier: MIT
 *
 * Marks for the time line that `./ampersand trace` records. In a lesson, or in any program:
 *
 *     AMP_TRACE_BEGIN("parse");
 *     parse(text);
 *     AMP_TRACE_END("parse");         a slice, from begin to end, of this thread; slices nest
 *     AMP_TRACE("found it");          a moment
 *     AMP_TRACE_COUNT("waiting", n);  a number that changes over time, at least 0
 *
 * Names are string literals. Off, a mark is a load and a branch that is never taken; it stays off unless the program
 * runs by `ampersand trace -- PROGRAM`, which switches on the marks of the program and of each library that it loads.
 * Nothing needs to be linked. */
#ifndef AMP_MARKS_H
#define AMP_MARKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum amp_mark_kind { AMP_MARK_POINT = 1, AMP_MARK_BEGIN, AMP_MARK_END, AMP_MARK_COUNT };

/* A place with a mark. */
struct amp_mark {
    const char *amp_name;
    uint32_t amp_number; /* of the name, in this process; 0: not known yet */
};

typedef void amp_mark_fn(struct amp_mark *amp_at, unsigned amp_kind, uint64_t amp_value);

/* What marks of this file call; NULL: they are off. Whoever records finds it by its section, so it needs no name that a
 * program would have to export; a file without marks has none. It is read as volatile, since no code that the compiler
 * sees sets it; a variable that is volatile itself gcc would keep in each file. */
static amp_mark_fn *amp_mark_hook __attribute__((__section__("amp_marks"), __unused__));

#define AMP_MARK_HOOK (*(amp_mark_fn *volatile *) &amp_mark_hook)

#define AMP_MARK(kind, name, value)                                                                                    \
    do {                                                                                                               \
        amp_mark_fn *amp_mark_call = AMP_MARK_HOOK;                                                                    \
                                                                                                                       \
        if (__builtin_expect(amp_mark_call != NULL, 0)) {                                                              \
            static struct amp_mark amp_mark_here = { "" name, 0 };                                                     \
                                                                                                                       \
            amp_mark_call(&amp_mark_here, kind, value);                                                                \
        }                                                                                                              \
    } while (0)

#define AMP_TRACE(name) AMP_MARK(AMP_MARK_POINT, name, 0)
#define AMP_TRACE_BEGIN(name) AMP_MARK(AMP_MARK_BEGIN, name, 0)
#define AMP_TRACE_END(name) AMP_MARK(AMP_MARK_END, name, 0)
#define AMP_TRACE_COUNT(name, value) AMP_MARK(AMP_MARK_COUNT, name, (uint64_t) (value))

#ifdef __cplusplus
}
#endif

#endif
