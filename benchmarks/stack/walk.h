/* SPDX-License-Identifier: MIT
 *
 * The walk of stack_copy, for every kind of stack: down `depth` calls with an array of 64-bit elements, by value or by
 * pointer, and a string at the top whose address each call notes. kernels.h is its text, compiled once a kind. */
#ifndef BENCHMARKS_STACK_WALK_H
#define BENCHMARKS_STACK_WALK_H

#include <stddef.h>
#include <stdint.h>

#define WALK_DEPTH_MAX 1024
#define WALK_SIZES 6 /* 1, 16, 64, 256, 1024, 4096 elements */

struct string {
    const char *text;
    size_t length;
};

struct walk {
    unsigned depth;
    uint64_t ops;
    const int64_t *elements;
    const struct string *seen[WALK_DEPTH_MAX]; /* the string's address as each call was given it, in the last walk */
};

/* One size: each runs walk->ops operations and returns their checksum. `arg` is the walk. */
struct walker {
    size_t elements;
    uint64_t (*value)(void *arg);
    uint64_t (*pointer)(void *arg);
};

extern const struct walker walk_native[WALK_SIZES];
extern const struct walker walk_growable[WALK_SIZES];
extern const struct walker walk_split[WALK_SIZES]; /* segments; only in the program that is linked for them */
extern const struct walker walk_live[WALK_SIZES];  /* growable, and prints itself */

/* From the live walk, on the host stack: one line a call. */
void walk_tell(const struct walk *walk, unsigned depth, const struct string *s);

#endif
