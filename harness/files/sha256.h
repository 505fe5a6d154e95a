/* SPDX-License-Identifier: MIT */
#ifndef AMP_SHA256_H
#define AMP_SHA256_H

#include <stdbool.h>

/* The SHA-256 of a file in hexadecimal, from coreutils' sha256sum; false if that fails. A file that has not changed
 * since the last call is not read again. */
bool amp_sha256(const char *path, char out[65]);

#endif
