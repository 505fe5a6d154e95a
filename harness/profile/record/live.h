/* SPDX-License-Identifier: MIT
 *
 * The objects that are allocated now: of each, its address and the number of its birth, together in 64 bits. */
#ifndef AMP_PROFILE_LIVE_H
#define AMP_PROFILE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Remember an object. If its address is known already, whose end was not seen, *replaced is that one's birth, else 0.
 * False: no memory, or an address beyond 2^48, or not a multiple of 8. */
bool amp_live_add(uintptr_t address, uint32_t birth, uint32_t *replaced);

/* Forget an object, and return its birth; 0: it is not known. */
uint32_t amp_live_remove(uintptr_t address);

#endif
