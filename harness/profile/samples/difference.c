/* SPDX-License-Identifier: MIT */
#include "harness/profile/samples/difference.h"

#include "harness/profile/samples/store.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE = 1, BASE_SIDE, OTHER_SIDE }; /* addresses of what is no code */

static struct amp_mapping *copy_mapping(struct amp_profile *whole, const struct amp_mapping *from)
{
    struct amp_mapping *mapping = amp_store_mapping(whole, from);

    if (mapping) {
        memcpy(mapping->build_id, from->build_id, sizeof mapping->build_id);
        mapping->has_functions |= from->has_functions;
        mapping->has_lines |= from->has_lines;
    }
    return mapping;
}

static struct amp_location *copy_location(struct amp_profile *whole, const struct amp_location *from)
{
    struct amp_mapping *mapping = from->mapping ? copy_mapping(whole, from->mapping) : NULL;
    uint64_t address = mapping ? from->address - from->mapping->start + mapping->start : from->address;
    struct amp_location *location = from->mapping && !mapping ? NULL : amp_store_location(whole, address, mapping);

    if (location && location->n_lines == 0) {
        location->lines = from->lines;
        location->n_lines = from->n_lines;
    }
    return location;
}

static bool is_in(const struct amp_location *location, const char *function)
{
    for (size_t i = 0; function && i < location->n_lines; i++)
        if (location->lines[i].function && strcmp(location->lines[i].function, function) == 0)
            return true;
    return false;
}

static int name_alone(struct amp_profile *whole, struct amp_location *location, const char *name)
{
    struct amp_line *line = amp_profile_alloc(whole, sizeof *line);

    if (!line)
        return -ENOMEM;
    *line = (struct amp_line){ .function = name };
    location->lines = line;
    location->n_lines = 1;
    return 0;
}

int amp_difference_add(struct amp_profile *whole, const struct amp_part *part)
{
    const double scale = part->is_base ? -part->scale : part->scale;

    for (size_t s = 0; s < part->profile->n_samples; s++) {
        const struct amp_sample *from = &part->profile->samples[s];
        struct amp_location *stack[AMP_STACK_FRAMES];
        struct amp_sample *sample;
        size_t n = 0;

        for (; n < from->n && !is_in(from->stack[n], part->within); n++)
            if (!(stack[n] = copy_location(whole, from->stack[n])))
                return -ENOMEM;
        sample = amp_store_sample(whole, stack, n, part->is_base, from->ending);
        if (!sample)
            return -ENOMEM;
        sample->is_base = part->is_base;
        for (size_t i = 0; i < part->n; i++)
            sample->values[part->to[i]] += llround(scale * (double) from->values[part->from[i]]);
    }
    return 0;
}

static struct amp_location *make_side(struct amp_profile *whole, uint64_t address, const char *name)
{
    struct amp_location *location = amp_store_location(whole, address, NULL);

    if (location && name_alone(whole, location, name))
        return NULL;
    return location;
}

int amp_difference_apart(struct amp_profile *whole, const char *base, const char *other)
{
    struct amp_location *sides[] = { make_side(whole, OTHER_SIDE, other), make_side(whole, BASE_SIDE, base) };

    for (size_t s = 0; s < whole->n_samples; s++) {
        struct amp_sample *sample = &whole->samples[s];
        struct amp_location **stack = amp_profile_alloc(whole, (sample->n + 1) * sizeof *stack);

        if (!stack || !sides[0] || !sides[1])
            return -ENOMEM;
        memcpy(stack, sample->stack, sample->n * sizeof *stack);
        stack[sample->n++] = sides[sample->is_base];
        sample->stack = stack;
        sample->is_base = false;
        for (size_t i = 0; i < AMP_VALUES; i++)
            sample->values[i] = llabs(sample->values[i]);
    }
    return 0;
}

int amp_difference_note(struct amp_profile *whole, bool is_base, size_t to, int64_t value, const char *name)
{
    struct amp_location *stack[2] = { amp_store_location(whole, NOTE, NULL) };
    struct amp_sample *sample;

    if (!stack[0] || name_alone(whole, stack[0], name))
        return -ENOMEM;
    stack[1] = amp_store_outermost(whole, is_base);
    if (!stack[1])
        return -ENOENT;
    sample = amp_store_sample(whole, stack, 2, is_base, AMP_STACK_WHOLE);
    if (!sample)
        return -ENOMEM;
    sample->is_base = is_base;
    sample->values[to] += is_base ? -value : value;
    return 0;
}
