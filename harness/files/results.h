/* SPDX-License-Identifier: MIT
 *
 * Write result files, whole or not at all. results/SCHEMA.md describes their content.
 * Functions return 0 or a negative errno. */
#ifndef AMP_RESULTS_H
#define AMP_RESULTS_H

#include <jansson.h>
#include <stdint.h>

/* Write `value` to `path`: as "<path>.tmp" first, then flushed to the disk and renamed. Makes missing folders. On
 * failure no .tmp stays, and an older file at `path` is unchanged. `value` is borrowed. */
int amp_results_write(const char *path, const json_t *value);

/* The second half of amp_results_write(), for a "<path>.tmp" that another program wrote. */
int amp_results_publish(const char *path);

/* Is this a file that can be read? A FIFO, for example, would make the reader wait for ever. 0, or a negative errno. */
int amp_results_look(const char *path);

/* Append one object as a line to `path` and flush it to the disk, or leave the file as it was. An unfinished line of a
 * killed writer is removed first, so that at most the last line of the file is ever incomplete. */
int amp_results_append(const char *path, const json_t *value);

/* The CRC-32 of a file, by zlib. The journal keeps that of each result, so that a reader notices a single changed
 * digit. */
int amp_results_crc32(const char *path, uint32_t *out);

/* Check that `need_b` bytes can be written into `dir` now: write them, and remove them again. */
int amp_results_probe(const char *dir, uint64_t need_b);

/* The time in UTC, in the form that results have; returns `out`. */
const char *amp_results_now(char out[32]);

#endif
