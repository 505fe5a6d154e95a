/* SPDX-License-Identifier: MIT
 *
 * What the compiler's plugin leaves in a program that is compiled with counters, and where it is found again.
 *
 *   copy_sites    [tables][site][site]...[texts]  [tables]...       read-only, one block for each compiled file
 *   copy_counts   [n][n]...0 0 0              |   [n]...            written; each file's part fills whole pages
 *                 page                        page
 *
 * So the counts can lie in pages of a file that outlives the process, and nothing else lies in these pages. */
#ifndef AMP_COPIES_SECTIONS_H
#define AMP_COPIES_SECTIONS_H

#include <stdint.h>

#define AMP_COPIES_SITES "copy_sites"
#define AMP_COPIES_COUNTS "copy_counts"
#define AMP_COPIES_LIST "copy_list" /* gcc's: see gcc/list.cc */
#define AMP_COPIES_PAGE_B 4096
#define AMP_COPIES_MAGIC 0x31534559504f43u /* "COPYES1" */

/* The name of a copy, which is that of the inlined function that stands for it in the debug information:
 * "copy: struct order, 144 B, assignment". go tool pprof would remove what stands in angle brackets. */
#define AMP_COPIES_NAME "copy: "

/* The head of a block. Places within it are bytes from its begin. */
struct amp_copies_tables {
    int64_t to_counts; /* what is added to the address of this block for that of its counters */
    uint64_t magic;
    uint32_t size_b, n_sites; /* size_b: of the block, a multiple of 8 */
};

/* Copies of one name and one place in the source, within a basic block. */
struct amp_copies_site {
    uint32_t counter;  /* its number: how often the block ran */
    uint32_t copies;   /* whole copies each time; the first part of one that is made in parts counts as one */
    uint64_t bytes;    /* each time; 0: the next counter holds the bytes, since their number is computed */
    uint32_t line, column;
    uint32_t name, file, function; /* places of texts; `function`: in which the copy stands in the source */
    uint32_t is_source; /* 1: as the source asks for it, before the compiler removed copies */
};

/* A file of counts begins with this, and AMP_COPIES_PAGE_B later come the counts. */
struct amp_copies_head {
    uint64_t magic;   /* written last */
    uint64_t address; /* of the section in the file of the program or library */
    uint64_t size_b;
    char path[4000]; /* of that file */
};
#define AMP_COPIES_FILE ".copies-" /* how the name of a file of counts begins; the profile's reader leaves it out */

/* Where a section of an ELF file lies. */
struct amp_copies_place {
    uint64_t address, offset, size_b;
};

/* Find a section by its name. 0; -ENOENT: there is none; -ENOEXEC: no ELF file of this machine's kind. Allocates
 * nothing. */
int amp_copies_find(int fd, const char *name, struct amp_copies_place *out);

#endif
