/* SPDX-License-Identifier: MIT
 *
 * libbenchmark's own flags. At a value that it does not know it aborts, throws, takes it for another or prints its help
 * with a status of 0, and each version otherwise: so it is given none but those that every version knows. */
#ifndef AMP_OPTIONS_GOOGLE_H
#define AMP_OPTIONS_GOOGLE_H

#include <stdint.h>

/* Read from libbenchmark's usage text which flags it has and what they take. Comes first. */
void amp_google_flags_read(const char *usage);

/* Check one word of the command line. 0, or 2 with a line on stderr.
 *
 * out           the word as the linked version takes it (times with or without their "s"); kept until the program ends.
 *               NULL where nothing is left for libbenchmark: --benchmark_min_time=100x is --iterations=100
 * iterations    these, else untouched */
int amp_google_flag_take(const char *word, char **out, uint64_t *iterations);

/* The same for BENCHMARK_MIN_TIME and the other variables that libbenchmark reads before main(). */
int amp_google_environment_take(uint64_t *iterations);

/* A flag that libbenchmark left over; says on stderr what is wrong with it. 2. */
int amp_google_flag_refuse(const char *flag);

#endif
