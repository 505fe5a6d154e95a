/* SPDX-License-Identifier: MIT
 *
 * The callees of lto.c, in a file of their own. */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/build/lto_callees.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define take_value AMP_NAME(lto_take_value)
#define take_pointer AMP_NAME(lto_take_pointer)
#define make_value AMP_NAME(lto_make_value)
#define make_pointer AMP_NAME(lto_make_pointer)

uint64_t take_value(subject object);
uint64_t take_pointer(const subject *object);
subject make_value(const subject *model);
subject *make_pointer(const subject *model);

uint64_t take_value(subject object)
{
    return amp_ends(&object);
}

uint64_t take_pointer(const subject *object)
{
    return amp_ends(object);
}

subject make_value(const subject *model)
{
    return *model;
}

subject *make_pointer(const subject *model)
{
    subject *object = amp_alloc(sizeof *object);

    *object = *model;
    return object;
}

#endif
