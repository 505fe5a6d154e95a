/* SPDX-License-Identifier: MIT
 *
 * What the files of the probe share: one for each allocator that reports its own settings, and one (effects.c) that
 * looks at what the operating system sees, whatever the allocator reports. */
#ifndef AMP_PROVENANCE_PROBE_H
#define AMP_PROVENANCE_PROBE_H

#include "harness/files/record.h"

struct amp_probe {
    const void *base; /* where the library is mapped that malloc comes from */
    const char *file;
    const char *source; /* as in provenance.h */
    const char *stray;  /* NULL: none */
    const char *sha256; /* NULL: the judge finds it */
    json_t *version;    /* NULL: it reports none */
    json_t *read_back, *effects;
};
extern const struct amp_record amp_probe_record;

/* The function that a call by this name reaches, as dlsym() finds it; but a program that is not position-independent
 * and takes a function's address has a stub of its own, which stands for it everywhere: then what lies behind. NULL:
 * none. */
void *amp_probe_find(const char *name);

/* A function of the library that malloc comes from; NULL if it has none of this name. */
void *amp_probe_symbol(const struct amp_probe *probe, const char *name);

void amp_probe_effect(struct amp_probe *probe, const char *name, uint64_t value);
void amp_probe_effect_bool(struct amp_probe *probe, const char *name, bool value);

/* The result of mallinfo2(), glibc 2.33 and later. Declared here, since a C library may lack it; it is called by
 * name. */
struct amp_probe_glibc_info {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

/* Each fills `probe` if this is its allocator; else it returns false and changes nothing. */
bool amp_probe_jemalloc(struct amp_probe *probe);
bool amp_probe_glibc(struct amp_probe *probe);
bool amp_probe_mimalloc(struct amp_probe *probe);
bool amp_probe_tcmalloc(struct amp_probe *probe);

/* Add the effects that can be seen with any allocator: effects.c. */
void amp_probe_effects(struct amp_probe *probe);

/* Start n threads that live at the same time, and call `visit` in one after the other. */
void amp_probe_in_threads(unsigned n, void (*visit)(void *), void *opaque);

/* Write to each page of a block, in a way that is not optimised away. */
void amp_probe_touch(void *block, size_t size);

/* The process's memory as the kernel reports it, in bytes. */
struct amp_probe_maps {
    uint64_t mapped_b, resident_b;
    uint64_t huge_b;     /* in huge pages */
    uint64_t advised_b;  /* in mappings with madvise(MADV_HUGEPAGE) */
    uint64_t declined_b; /* in mappings with MADV_NOHUGEPAGE */
    bool in_brk;         /* `at` lies between the program's end and its break */
};
/* Sum over the mappings that overlap [at, at + size); over all if size is 0. */
bool amp_probe_maps(const void *at, size_t size, struct amp_probe_maps *out);

/* Run a program in this process's environment, and return what it writes to stdout and stderr; malloc()ed, NULL if it
 * cannot be run. `assignment` is added to the environment unless that variable is set; it may be NULL. */
char *amp_probe_output(const char *program, const char *argument, const char *assignment);

#endif
