/* SPDX-License-Identifier: MIT
 *
 * Which samples are of copies. An instruction of a copy lies in an inlined function that bears its name. memcpy has no
 * debug information: if it is the innermost function, the copy is where it was called. But where a struct is passed by
 * value, the call itself is the copy's, and what the callee does is not: it has debug information of its own. */
#include "harness/profile/copies/listed.h"

/* The place of a copy that has a name, or that gcc listed there; NULL: neither. */
static struct amp_copy_place *place_of(const struct amp_location *location, struct amp_copies_listed *listed,
                                       struct amp_copy_places *places)
{
    const struct amp_line *inner = &location->lines[0], *outer = &location->lines[location->n_lines > 1];
    const unsigned line = inner->line > 0 ? inner->line : outer->line; /* 0: of none in particular */
    struct amp_copy_place *place = amp_copy_place_of(places, inner->function, inner->file, line, outer->function);

    return place ? place : amp_copies_find_listed(listed, places, inner->file, inner->line, location->column);
}

static bool has_lines(const struct amp_location *location)
{
    return location->n_lines > 0 && location->lines[0].file && !location->mapping->is_library_of_c;
}

/* memcpy, or the stub through which the program calls it. */
static bool is_memcpy(const struct amp_location *location, const struct amp_location *caller)
{
    return location->mapping && !has_lines(location) &&
           (location->mapping->is_library_of_c || location->mapping == caller->mapping);
}

void amp_copies_add_samples(const struct amp_profile *profile, struct amp_copies_listed *listed,
                            struct amp_copy_places *places)
{
    for (size_t i = 0; i < profile->n_samples; i++) {
        const struct amp_sample *sample = &profile->samples[i];
        const struct amp_location *location;
        struct amp_copy_place *place;
        size_t at = 0;

        while (at < 2 && at + 1 < sample->n && is_memcpy(sample->stack[at], sample->stack[at + 1]))
            at++;
        places->samples += sample->counts.allocs;
        location = sample->n > 0 ? sample->stack[at] : NULL;
        if (!location || location->n_lines == 0)
            continue;
        place = place_of(location, listed, places);
        if (!place)
            continue;
        place->samples += sample->counts.allocs;
        places->in_copies += sample->counts.allocs;
    }
}
