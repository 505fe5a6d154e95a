/* SPDX-License-Identifier: MIT
 *
 * The objects that are allocated now. */
#ifndef AMP_PROFILE_LIVE_H
#define AMP_PROFILE_LIVE_H

#include "harness/profile/preload/sites.h"

struct amp_object {
    uintptr_t address; /* 0: none */
    struct amp_profile_counts *site;
    uint64_t size_b : 44, depth : 4, thread : 16; /* depth: which function of the stack allocated it */
    /* Where the function that allocated it, and its caller, find their return addresses: the lower bits of the
     * address, in words. 0: nobody knows. */
    uint32_t frame, caller;
};

/* Remember an object. If its address is known already, whose end was not seen, that one is returned, else one with
 * address 0. False: no memory. */
bool amp_live_add(const struct amp_object *object, struct amp_object *replaced);

/* Forget an object, and return it; address 0: it is not known. */
struct amp_object amp_live_remove(uintptr_t address);

#endif
