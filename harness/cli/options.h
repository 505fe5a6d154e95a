/* SPDX-License-Identifier: MIT
 *
 * The command line of ampersand-bench. Its first word is a verb, or else it is the command line of an ordinary Google
 * Benchmark program with a few flags more. Each wrong use is one line on stderr that names the word and what would
 * be right. Functions return 0, or the exit status 2 after having said why. */
#ifndef AMP_OPTIONS_H
#define AMP_OPTIONS_H

#include "harness/allocators/options.h"
#include "harness/bench/options.h"

enum amp_verb {
    AMP_VERB_PAIRED,
    AMP_VERB_ALLOCATORS,
    AMP_VERB_LIST,
    AMP_VERB_CHILD,
    AMP_VERB_MACHINE,
    AMP_VERB_HELP,
    AMP_VERB_VERSION,
    AMP_VERB_SOLO
};

struct amp_options {
    enum amp_verb verb; /* AMP_VERB_SOLO: there is none */
    struct amp_launch_options launch;
    struct amp_matrix_options matrix; /* allocators */
    bool draw_seed;      /* paired, allocators: none is given; see amp_options_draw_seed() */
    const char *filter;  /* of rows, POSIX extended; NULL: every row */
    bool google_help;    /* help: with libbenchmark's part */
    bool questions;      /* list: the questions of the pairs in place of the rows */
    const char *task;    /* child */
    unsigned layout;     /* solo: the module that every lesson is taken from */
    const char *lesson;  /* solo: the only one that is loaded; NULL: all */
    uint64_t iterations; /* solo: exactly so many, 0: as libbenchmark sees fit */
};

/* Solo: takes the flags of its own out of argv and leaves libbenchmark's, as options_google.h has them; `usage` returns
 * libbenchmark's usage text. */
int amp_options_parse(int *argc, char **argv, const char *(*usage)(void), struct amp_options *out);

/* Draw a seed and say on stderr which; for when nothing else is wrong. */
int amp_options_draw_seed(uint64_t *seed);

/* "ampersand: <what>: <why>" on stderr; 2. */
__attribute__((format(printf, 2, 3))) int amp_options_wrong(const char *what, const char *why, ...);

#endif
