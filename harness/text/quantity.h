/* SPDX-License-Identifier: MIT
 *
 * Numbers with units, as people write them. Each amp_quantity_read_ function reads one from *text, moves *text behind
 * it and returns true. It returns false if there is none or it does not fit into *out; do not use *text and *out then.
 * Blanks and signs are not accepted. */
#ifndef AMP_QUANTITY_H
#define AMP_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* 42 */
bool amp_quantity_read_digits(const char **text, uint64_t *out);

/* 1048576, 512M, 8G, 8GB, 8GiB, in bytes; M and G are powers of 1024. */
bool amp_quantity_read_size(const char **text, uint64_t *out);

/* 5%, 0.5%, 0.25%, in millionths. The % is required, so that nobody takes 0.5 for a half. At most four decimals. */
bool amp_quantity_read_percent(const char **text, uint64_t *out);

/* 90s, 10m, 1h, in seconds. */
bool amp_quantity_read_duration(const char **text, uint64_t *out);

/* Words for bytes, in the unit that fits: "512 B", "1.5 KiB", "120 MiB". Returns `out`. */
enum { AMP_QUANTITY_SIZE = 16 };
const char *amp_quantity_size(uint64_t bytes, char out[static AMP_QUANTITY_SIZE]);

#endif
