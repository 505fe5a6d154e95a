/* SPDX-License-Identifier: MIT
 *
 * What the parts of a probe share. One part per allocator that tells something of itself, and one that looks at what
 * the operating system sees, which no allocator can talk round. */
#ifndef AMP_PROVENANCE_PROBE_H
#define AMP_PROVENANCE_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amp_probe {
    const void *base; /* where the library that malloc comes from is mapped */
    const char *file;
    const char *source; /* as in provenance.h */
    char version[96];   /* empty: it tells none */
    json_t *read_back, *effects;
};

/* A function of the library that malloc comes from; NULL if that one has none of this name. */
void *amp_probe_symbol(const struct amp_probe *probe, const char *name);

void amp_probe_effect(struct amp_probe *probe, const char *name, uint64_t value);
void amp_probe_effect_bool(struct amp_probe *probe, const char *name, bool value);

/* What glibc's mallinfo2() gives, from 2.33 on. Declared here, since a C library may have none, and is asked by name. */
struct amp_probe_glibc_info {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

/* Each fills `probe` if the allocator is the one that it knows; else false, and nothing has changed. */
bool amp_probe_jemalloc(struct amp_probe *probe);
bool amp_probe_glibc(struct amp_probe *probe);
bool amp_probe_mimalloc(struct amp_probe *probe);
bool amp_probe_tcmalloc(struct amp_probe *probe);

/* Effects that show in any process: see allocators/provenance/effects.c. */
void amp_probe_effects(struct amp_probe *probe);

/* Call `visit` in so many threads that live at once, one after the other. */
void amp_probe_in_threads(unsigned n, void (*visit)(void *), void *opaque);

/* Keep a block from being optimised away, and write to each of its pages. */
void amp_probe_touch(void *block, size_t size);

/* What the kernel says of the process's memory, in bytes. */
struct amp_probe_maps {
    uint64_t mapped_b, resident_b;
    uint64_t huge_b;     /* in huge pages */
    uint64_t advised_b;  /* of mappings for which huge pages were asked: madvise(MADV_HUGEPAGE) */
    uint64_t declined_b; /* and of those for which they were declined: MADV_NOHUGEPAGE */
    bool in_brk;         /* `at` lies between the program's end and its break */
};
/* Of the mappings that have bytes of [at, at + size); of all where size is 0. */
bool amp_probe_maps(const void *at, size_t size, struct amp_probe_maps *out);

/* What a program writes to both its outputs under this process's environment, with one assignment put into it unless
 * it is set (or NULL); malloc()ed, NULL if it cannot be run. */
char *amp_probe_output(const char *program, const char *argument, const char *assignment);

#endif
