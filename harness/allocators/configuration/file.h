/* SPDX-License-Identifier: MIT
 *
 * Read one .conf. */
#ifndef AMP_CONFIGURATION_FILE_H
#define AMP_CONFIGURATION_FILE_H

#include "harness/allocators/configuration/make.h"

/* `out` must be zeroed. 0 or -ENOMEM; a mistake in the file goes into the configuration's state. */
int amp_configuration_read(const char *path, struct amp_configuration *out);

#endif
