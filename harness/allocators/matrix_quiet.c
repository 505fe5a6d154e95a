/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_quiet.h"

#include "harness/measure/sensor.h"

#include <unistd.h>

enum { ATTEMPTS = 4, QUIET_CHUNKS = 3, QUIET_LAYOUTS = 2 };

static bool has_quiet(const json_t *readings, json_int_t quiet_ns, size_t least)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(readings); i++)
        n += amp_sensor_is_quiet((uint64_t) json_integer_value(json_array_get(readings, i)), (uint64_t) quiet_ns);
    return n >= least;
}

bool amp_matrix_is_disturbed(const json_t *result)
{
    const json_t *rows = json_object_get(result, "rows"), *singles = json_object_get(result, "latency");
    json_int_t quiet_ns = json_integer_value(json_object_get(result, "quiet_ns")), single_ns;
    bool quiet = true;

    for (size_t i = 0; i < json_array_size(rows); i++)
        quiet = quiet && has_quiet(json_object_get(json_array_get(rows, i), "sensor_ns"), quiet_ns, QUIET_LAYOUTS);
    if (singles) {
        single_ns = json_integer_value(json_object_get(singles, "sensor_ns"));
        quiet = has_quiet(json_object_get(result, "sensor_ns"), quiet_ns, QUIET_CHUNKS) &&
                amp_sensor_is_quiet((uint64_t) single_ns, (uint64_t) quiet_ns);
    }
    return !quiet;
}

static bool was_disturbed(const char *file)
{
    json_t *result = json_load_file(file, 0, NULL);
    bool disturbed = amp_matrix_is_disturbed(result);

    json_decref(result);
    return disturbed;
}

int amp_matrix_quietly(struct amp_quiet_wait *patience, int cpu, amp_matrix_attempt attempt, void *context,
                       const char *file, struct amp_outcome *outcome)
{
    for (int n = 1;; n++) {
        int err;

        amp_quiet_wait_core(patience, cpu);
        err = attempt(context, file, outcome);
        if (err || outcome->ending != AMP_DONE || n == ATTEMPTS || !was_disturbed(file) ||
            !amp_quiet_wait_use(patience, outcome->seconds))
            return err;
        unlink(file);
    }
}
