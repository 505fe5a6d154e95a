/* SPDX-License-Identifier: MIT
 *
 * The types of a workload's objects: what is a pointer in them, and to what. */
#ifndef GC_TYPE_H
#define GC_TYPE_H

#include <stddef.h>

struct type;

struct member {
    const char *name;
    size_t offset_b;
    const struct type *to;
};

struct type {
    const char *name;
    size_t size_b; /* of an array, of one item */
    const struct member *members; /* its pointers; none: the collector need not look into it */
    size_t n_members;
    unsigned id; /* the collector's, once it has started */
};

#define MEMBERS(...)                                                                                                   \
    .members = (const struct member[]){ __VA_ARGS__ },                                                                 \
    .n_members = sizeof((const struct member[]){ __VA_ARGS__ }) / sizeof(struct member)

#endif
