/* SPDX-License-Identifier: MIT
 *
 * Counts are exact, so those of one run hold for the next, as long as all is the same that they come from: the lesson's
 * modules, this program, its libraries, valgrind, and the processor, whose caches valgrind simulates. They are kept
 * beside the modules, DIR/<lesson>.counters.json; where that folder cannot be written, nothing is kept. */
#ifndef AMP_KEPT_H
#define AMP_KEPT_H

#include <jansson.h>

/* What counts come from besides the lesson. `allocator`: MALLOC_CONF of the processes that count. A new reference; NULL
 * where it cannot be told, and then nothing is kept or read. */
json_t *amp_kept_conditions(const char *valgrind, const char *allocator);

/* {row: its result} of a lesson as it is now, a new reference; empty if none is kept under these conditions. */
json_t *amp_kept_read(const char *lesson, const json_t *conditions);

/* Keep these results, {row: result}, and forget all others of the lesson. */
void amp_kept_write(const char *lesson, const json_t *conditions, const json_t *results);

#endif
