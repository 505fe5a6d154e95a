/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/export.h"

#include "harness/profile/copies/preload/sections.h"
#include "harness/profile/samples/proto.h"
#include "harness/profile/samples/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { COPIES, BYTES, SAMPLES, CPU, N_TYPES };
static const struct amp_value types[N_TYPES] = { { "copies", "count" }, { "bytes", "bytes" }, { "samples", "count" },
                                                 { "cpu", "nanoseconds" } };

static void set_time(struct amp_profile *profile, size_t i)
{
    const struct amp_sample *sample = &profile->samples[i];
    struct amp_sample *kept = amp_store_sample(profile, sample->stack, sample->n, sample->bucket, sample->ending);

    if (!kept)
        return;
    kept->values[COPIES] = kept->values[BYTES] = 0;
    kept->values[SAMPLES] = (int64_t) sample->counts.allocs;
    kept->values[CPU] = (int64_t) sample->counts.bytes;
    kept->counts = (struct amp_profile_counts){ 0 };
}

/* A counted place is a sample with two functions: the copy, and the one in which it stands. */
static int add_place(struct amp_profile *profile, const struct amp_copy_place *place, uint64_t number)
{
    struct amp_location *location = amp_store_location(profile, number, NULL);
    struct amp_line *lines = amp_profile_alloc(profile, 2 * sizeof *lines);
    struct amp_sample *sample = location ? amp_store_sample(profile, &location, 1, 0, AMP_STACK_WHOLE) : NULL;
    const char *file;
    char name[512];

    if (!sample || !lines)
        return -ENOMEM;
    snprintf(name, sizeof name, AMP_COPIES_NAME "%s, %" PRIu64 " B, %s", place->type, place->size_b, place->kind);
    file = amp_profile_text(profile, place->file);
    lines[0] = (struct amp_line){ amp_profile_text(profile, name), file, place->line };
    lines[1] = (struct amp_line){ amp_profile_text(profile, place->function), file, place->line };
    location->lines = lines;
    location->n_lines = 2;
    sample->values[COPIES] = (int64_t) place->copies;
    sample->values[BYTES] = (int64_t) place->bytes;
    return 0;
}

int amp_copies_save(struct amp_profile *profile, const struct amp_copy_places *places, const char *path,
                    uint64_t wall_ns, const char *comment)
{
    int err = 0;

    for (size_t i = 0; i < profile->n_samples; i++)
        set_time(profile, i);
    for (size_t i = 0; !err && i < places->n; i++)
        if (places->places[i].bytes > 0)
            err = add_place(profile, &places->places[i], i + 1);
    free(profile->samples); /* they are taken anew from the store, with what was added */
    profile->samples = NULL;
    profile->n_samples = 0;
    profile->types = types;
    profile->n_types = N_TYPES;
    profile->default_type = places->is_counted ? "bytes" : "samples";
    profile->period_type = (struct amp_value){ "cpu", "nanoseconds" };
    profile->period = AMP_PROFILE_TICK_NS;
    if (!err)
        err = amp_store_finish(profile);
    return err ? err : amp_proto_save(profile, path, wall_ns, comment);
}
