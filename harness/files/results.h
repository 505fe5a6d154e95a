/* SPDX-License-Identifier: MIT
 *
 * Writes result files, whole or not at all. results/SCHEMA.md says what is in them.
 * Functions return 0 or a negative errno. */
#ifndef AMP_RESULTS_H
#define AMP_RESULTS_H

#include <jansson.h>
#include <stdint.h>

/* Make `path` hold `value`: written beside it as "<path>.tmp", flushed to the disk, renamed. Makes missing folders.
 * On failure neither the new file nor the .tmp stays, and what `path` held before is untouched. `value` is borrowed. */
int amp_results_write(const char *path, const json_t *value);

/* A new file to write into: a descriptor, or a negative errno. What has that name, left by a killed writer or put there by
 * somebody who may write into the folder, is taken away; a link is never followed. */
int amp_results_create(const char *path);

/* The second half of it, for a "<path>.tmp" that another program wrote. */
int amp_results_publish(const char *path);

/* Whether a file of a run can be read at all: a FIFO, say, would hold the reader up for ever. 0, or a negative errno. */
int amp_results_look(const char *path);

/* Append one object as a line to `path` and flush it to the disk, or leave the file as it was. A line that a killed
 * writer left unfinished is taken off first, so that every line of the file but the last is always whole. */
int amp_results_append(const char *path, const json_t *value);

/* The CRC-32 of a file, as zip and zlib have it: the journal keeps one of each result, so that a reader finds out
 * about a single changed digit. */
int amp_results_crc32(const char *path, uint32_t *out);

/* Whether `need_b` bytes can really be written into `dir` now: they are, and taken away again. */
int amp_results_probe(const char *dir, uint64_t need_b);

/* The time as results have it, in UTC: out. */
const char *amp_results_now(char out[32]);

#endif
