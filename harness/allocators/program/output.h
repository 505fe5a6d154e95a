/* SPDX-License-Identifier: MIT
 *
 * What a program prints: kept in files without a name, and read when it has ended. */
#ifndef AMP_PROGRAM_OUTPUT_H
#define AMP_PROGRAM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* A descriptor of a file that is gone when it is closed; -1 with errno. */
int amp_output_open(void);

/* The number in the first group of the last match of a regular expression, in the lines of a file. False: there is
 * none. */
bool amp_output_metric(int fd, const char *expression, double *out);

/* The last line that is not empty, printable; "" if there is none. */
void amp_output_last(int fd, char *out, size_t cap);

/* NULL, or what is wrong with an expression for a metric, in words (static storage). */
const char *amp_output_refuse(const char *expression);

#endif
