/* SPDX-License-Identifier: MIT
 *
 * Quantities as people write them. Each function reads one from *text, moves *text behind it and returns whether there
 * was one that fits; on failure neither changes in a way that matters. Blanks and signs are nothing that fits. */
#ifndef AMP_QUANTITY_H
#define AMP_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* 42 */
bool amp_quantity_read_digits(const char **text, uint64_t *out);

/* 1048576, 512M, 8G, 8GB, 8GiB, in bytes: all of them powers of 1024, as memory is counted. */
bool amp_quantity_read_size(const char **text, uint64_t *out);

/* 5%, 0.5%, 0.25%, in millionths: the sign is part of it, so that nobody takes 0.5 for a half. Four decimals at
 * most. */
bool amp_quantity_read_percent(const char **text, uint64_t *out);

/* 90s, 10m, 1h, in seconds. */
bool amp_quantity_read_duration(const char **text, uint64_t *out);

#endif
