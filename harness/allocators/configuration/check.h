/* SPDX-License-Identifier: MIT
 *
 * Check a configuration's settings before anything runs under them. */
#ifndef AMP_CONFIGURATION_CHECK_H
#define AMP_CONFIGURATION_CHECK_H

#include "harness/allocators/configuration/make.h"

/* Mark it wrong if its settings cannot be parsed, or if the allocator is known to have no such setting. 0 or
 * -ENOMEM. */
int amp_configuration_check(struct amp_configuration *configuration);

#endif
