/* SPDX-License-Identifier: MIT
 *
 * The allocators that configurations may name: which library they are, which package brings it, and which variables
 * configure them. */
#ifndef AMP_ALLOCATOR_H
#define AMP_ALLOCATOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct amp_allocator {
    const char *name;
    const char *files[3];     /* patterns of file names, the preferred first; none: it is the C library's */
    const char *package;      /* what brings it in Debian */
    const char *variables[9]; /* what configures it; one that ends in '_' is the beginning of many */
    const char *guard;        /* put in front of the first variable's value in every child; NULL: nothing */
};

/* NULL if there is none of this name. */
const struct amp_allocator *amp_allocator_find(const char *name);

/* All of them: their number. */
size_t amp_allocator_all(const struct amp_allocator **out);

/* The one that a library's file name claims to be, "libjemalloc.so.2"; NULL if none. */
const struct amp_allocator *amp_allocator_of_file(const char *path);

/* Whether this allocator reads the variable of this name ("MALLOC_CONF"). */
bool amp_allocator_reads(const struct amp_allocator *allocator, const char *variable);

/* Find its library: in the folders that the environment variable AMPERSAND_LIBRARIES names, colons between, else in
 * the usual ones. False if it is in none. */
bool amp_allocator_locate(const struct amp_allocator *allocator, char out[PATH_MAX]);

/* The same file with its folder absolute and without links, but under its own name, which outlives an upgrade of the
 * package where it is a link. False with errno where there is no such file. */
bool amp_allocator_path(const char *file, char out[PATH_MAX]);

/* NULL if the file is a shared library that a program like this one can load; otherwise why not, in words. */
const char *amp_allocator_refuse(const char *path);

#endif
