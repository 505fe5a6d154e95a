/* SPDX-License-Identifier: MIT
 *
 * Whether settings have the effects that they must have. */
#ifndef AMP_PROVENANCE_RULES_H
#define AMP_PROVENANCE_RULES_H

#include "harness/allocators/configuration/asked.h"

/* Whether the effects in the facts are those that the settings must have: the settings that were asked for, and those
 * which the allocator reports and which always show an effect. False with *why. */
bool amp_rules_hold(const struct amp_settings *settings, const json_t *facts, char *why, size_t size);

#endif
