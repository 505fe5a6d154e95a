/* SPDX-License-Identifier: MIT
 *
 * The places in a program's source that copy structs: what was counted there, and what was sampled. */
#ifndef AMP_COPIES_PLACES_H
#define AMP_COPIES_PLACES_H

#include "harness/profile/samples/profile.h"

/* A place: a line, a type and a kind. Texts live as long as the places. */
struct amp_copy_place {
    char *text;              /* holds the next two */
    const char *type, *kind; /* "struct order"; "assignment" */
    char *file, *function;   /* in which it stands */
    unsigned line;
    uint64_t size_b;         /* of one copy */
    uint64_t bytes, copies;  /* that were made */
    uint64_t source_b;       /* that the source asks for, if that was counted */
    uint64_t samples;
    unsigned asked, left;    /* of gcc's list: how many copies the source has there, and how many its code */
};

struct amp_copy_places {
    struct amp_copy_place *places;
    size_t n;
    bool is_counted, has_source; /* the program has counters; also of what its source asks for */
    bool is_listed;              /* gcc listed copies: the places include those that were never sampled */
    uint64_t samples, in_copies; /* all of CPU time; those in copies */
    struct amp_copy_known *known;
};

/* The place of a frame's name, "copy: struct order, 144 B, assignment", made if it is new; until the next one is made.
 * NULL: no such name, or no memory. */
struct amp_copy_place *amp_copy_place_of(struct amp_copy_places *places, const char *name, const char *file,
                                         unsigned line, const char *function);

/* Add what the processes counted in a folder. 0, or a negative errno. */
int amp_copies_read_counts(const char *folder, struct amp_copy_places *places);

/* Whether a program or library was compiled by `ampersand cc`. */
bool amp_copies_are_marked(const char *path);

struct amp_copies_listed; /* listed.h */

/* Add the samples of a profile whose places have names, or are listed. */
void amp_copies_add_samples(const struct amp_profile *profile, struct amp_copies_listed *listed,
                            struct amp_copy_places *places);

/* Those with most bytes first, then those with most samples. None can be added afterwards. */
void amp_copies_sort(struct amp_copy_places *places);
void amp_copies_free(struct amp_copy_places *places);

#endif
