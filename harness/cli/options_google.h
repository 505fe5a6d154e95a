/* SPDX-License-Identifier: MIT
 *
 * libbenchmark's own flags. At a value that it does not know, libbenchmark aborts, throws, uses another value, or
 * prints its help and exits with 0, depending on its version. So check each value, and pass on only those that every
 * version knows. */
#ifndef AMP_OPTIONS_GOOGLE_H
#define AMP_OPTIONS_GOOGLE_H

#include <stdint.h>

/* Read from libbenchmark's usage text which flags it has and what they take. Call it first. */
void amp_google_flags_read(const char *usage);

/* Check one word of the command line. 0, or 2 with a line on stderr.
 *
 * out           the word in the form of the linked version (times with or without their "s"); never freed.
 *               NULL if nothing is left for libbenchmark: --benchmark_min_time=100x is --iterations=100
 * iterations    set in that case, else unchanged */
int amp_google_flag_take(const char *word, char **out, uint64_t *iterations);

/* The same for BENCHMARK_MIN_TIME and the other variables that libbenchmark reads before main(). */
int amp_google_environment_take(uint64_t *iterations);

/* Say on stderr what is wrong with a flag that libbenchmark did not take; returns 2. */
int amp_google_flag_refuse(const char *flag);

#endif
