/* SPDX-License-Identifier: MIT
 *
 * All that a workload may use of a collector. Each defines, in a header of its own:
 *
 *   FUNCTION(type, name, frame_b, parameters...)   how a function of the workload begins that may allocate
 *   new_object(&type)                              zeroed; ends the process if there is no memory
 *   new_array(&type, n)                            of n items
 *   STORE(place, pointer)                          put a pointer into an object or a root
 *   POLL()                                         a safe point, if it needs one
 *   COLLECT()                                      everything that is garbage now
 *   ON_HOST(fn, argument)                          call what may use all of libc: uint64_t fn(void *)
 *
 * A pointer in a local variable keeps its object. */
#ifndef GC_COLLECTOR_H
#define GC_COLLECTOR_H

#include "benchmarks/gc/workload.h"
#include "harness/workload.h"

#ifndef GC_COLLECTOR /* the build names another one's header */
#define GC_COLLECTOR "benchmarks/gc/ours.h"
#endif
#include GC_COLLECTOR

#endif
