/* SPDX-License-Identifier: MIT
 *
 * The command line of ampersand-bench. If its first word is not a verb, it is the command line of an ordinary Google
 * Benchmark program with a few more flags. Each wrong use is one line on stderr that names the word and what would
 * be right. Functions return 0, or the exit status 2 after such a line. */
#ifndef AMP_OPTIONS_H
#define AMP_OPTIONS_H

#include "harness/bench/options.h"
#include "harness/cli/flags.h"

struct amp_options {
    enum amp_verb verb; /* AMP_VERB_SOLO: there is none */
    struct amp_launch_options launch;
    struct amp_matrix_options matrix; /* allocators */
    bool draw_seed;      /* paired, allocators: no seed is given; see amp_options_draw_seed() */
    const char *filter;  /* of rows, POSIX extended; NULL: every row */
    bool google_help;    /* help: with libbenchmark's flags */
    bool questions;      /* list: print the questions of the pairs instead of the rows */
    const char *task;    /* child, counters-child, profile-child; of counters, the run folder */
    unsigned layout;     /* solo: the number of the module of every lesson */
    const char *lesson;  /* solo: load only this one; NULL: all */
    uint64_t iterations; /* solo: exactly this many; 0: libbenchmark chooses */
};

/* Solo: removes our own flags from argv and leaves libbenchmark's, checked by options_google.h. `usage` returns
 * libbenchmark's usage text. */
int amp_options_parse(int *argc, char **argv, const char *(*usage)(void), struct amp_options *out);

/* Draw a seed and print it on stderr. Call it when nothing else is wrong. */
int amp_options_draw_seed(uint64_t *seed);

#endif
