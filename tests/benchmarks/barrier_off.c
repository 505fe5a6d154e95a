/* SPDX-License-Identifier: MIT
 *
 * The part of the collector's library that a store needs while nothing is marked. */
#include "harness/gc/gc.h"

#include <stdlib.h>

uint32_t amp_gc_barrier;

void amp_gc_store_marking(void *field, const void *pointer)
{
    (void) field;
    (void) pointer;
    abort();
}
