/* SPDX-License-Identifier: MIT
 *
 * The allocators that configurations may name: their library, the package that contains it, and the environment
 * variables that configure them. */
#ifndef AMP_ALLOCATOR_H
#define AMP_ALLOCATOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct amp_allocator {
    const char *name;
    const char *files[3];     /* patterns of file names, the preferred one first; none for the C library's allocator */
    const char *package;      /* its package in Debian */
    const char *variables[9]; /* what configures it; a name that ends in '_' is a prefix */
    const char *guard;        /* put in front of the first variable's value in every process; NULL: nothing */
};

/* The allocator of this name, or NULL. */
const struct amp_allocator *amp_allocator_find(const char *name);

/* All allocators; returns how many. */
size_t amp_allocator_all(const struct amp_allocator **out);

/* The allocator to which a library's file name belongs, such as "libjemalloc.so.2"; NULL if none. */
const struct amp_allocator *amp_allocator_of_file(const char *path);

/* Whether this allocator reads the variable of this name ("MALLOC_CONF"). */
bool amp_allocator_reads(const struct amp_allocator *allocator, const char *variable);

/* Find its library: in the folders of the environment variable AMPERSAND_LIBRARIES, separated by colons, else in the
 * usual ones. False if it is in none. */
bool amp_allocator_locate(const struct amp_allocator *allocator, char out[PATH_MAX]);

/* The file's absolute path, with links in its folder resolved, but not a link that is the file itself: that name stays
 * when the package is upgraded. False with errno if there is no such file. */
bool amp_allocator_path(const char *file, char out[PATH_MAX]);

/* NULL if the file is a shared library that a program like this one can load; else the reason, in words. */
const char *amp_allocator_refuse(const char *path);

#endif
