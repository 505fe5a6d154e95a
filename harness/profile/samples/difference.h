/* SPDX-License-Identifier: MIT
 *
 * Several profiles as one, in the form that `pprof -diff_base` gives a difference: what is subtracted is below 0, and
 * labelled as the base. */
#ifndef AMP_PROFILE_DIFFERENCE_H
#define AMP_PROFILE_DIFFERENCE_H

#include "harness/profile/samples/profile.h"

/* One of them. */
struct amp_part {
    const struct amp_profile *profile; /* with names; must outlive the whole */
    bool is_base;                      /* it is subtracted */
    double scale;                      /* of its values */
    const char *within;                /* frames from this function outwards are left out; NULL: none */
    size_t n;                          /* values: the profile's from[i] becomes the whole's to[i] */
    size_t from[AMP_VALUES], to[AMP_VALUES];
};

/* Add a part to a profile that amp_store_begin() made. 0 or -ENOMEM. */
int amp_difference_add(struct amp_profile *whole, const struct amp_part *part);

/* Add a value that has no stack but the outermost function of the base, or of the other side, and a name. 0 or -ENOMEM;
 * -ENOENT: that side has no sample. */
int amp_difference_note(struct amp_profile *whole, bool is_base, size_t to, int64_t value, const char *name);

/* Of a whole that amp_store_finish() has ended, make both sides beside each other: no value is below 0, and each side has
 * an outermost function of that name. For readers that know no differences. 0 or -ENOMEM. */
int amp_difference_apart(struct amp_profile *whole, const char *base, const char *other);

#endif
