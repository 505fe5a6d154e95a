/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_accept.h"

#include "harness/allocators/provenance/provenance.h"
#include "harness/files/results.h"
#include "harness/measure/sensor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { QUIET_CHUNKS = 3, QUIET_LAYOUTS = 2 };

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
    bool is_program = json_object_get(result, "wall_ns") != NULL; /* read before and after it */
    json_int_t quiet_ns = json_integer_value(json_object_get(result, "quiet_ns")), single_ns;
    bool quiet = true;

    for (size_t i = 0; i < json_array_size(rows); i++)
        quiet = quiet && has_quiet(json_object_get(json_array_get(rows, i), "sensor_ns"), quiet_ns, QUIET_LAYOUTS);
    if (is_program)
        quiet = has_quiet(json_object_get(result, "sensor_ns"), quiet_ns, 2);
    if (singles) {
        single_ns = json_integer_value(json_object_get(singles, "sensor_ns"));
        quiet = has_quiet(json_object_get(result, "sensor_ns"), quiet_ns, QUIET_CHUNKS) &&
                amp_sensor_is_quiet((uint64_t) single_ns, (uint64_t) quiet_ns);
    }
    return !quiet;
}

static void refuse(struct amp_outcome *outcome, const char *why)
{
    outcome->ending = AMP_REFUSED;
    outcome->reason = "not in force";
    snprintf(outcome->detail, sizeof outcome->detail, "%s", why);
}

int amp_matrix_judge(const struct amp_configuration *configuration, const char *file, json_t **identity,
                     struct amp_outcome *outcome)
{
    json_t *facts = json_load_file(file, 0, NULL), *judged = facts ? amp_provenance_judge(configuration, facts) : NULL;
    int err = 0;

    *identity = NULL;
    if (judged) {
        json_object_set_new(judged, "schema", json_string("ampersand/provenance/1"));
        json_object_set_new(judged, "configuration", json_string(configuration->name));
        err = json_equal(judged, facts) ? 0 : amp_results_write(file, judged); /* equal: a resumed run, judged before */
    }
    if (json_is_true(json_object_get(judged, "in_force")))
        *identity = json_incref(json_object_get(judged, "identity"));
    else
        refuse(outcome,
               judged ? json_string_value(json_object_get(judged, "reason")) : "its probe's file cannot be read");
    json_decref(facts);
    json_decref(judged);
    return err;
}

void amp_matrix_hold_to_probe(const json_t *identity, const char *file, struct amp_outcome *outcome)
{
    json_t *result = json_load_file(file, 0, NULL);

    if (!json_equal(json_object_get(result, "in_force"), identity)) {
        refuse(outcome, "this process had another allocator, or other settings, than its probe found");
        unlink(file);
    }
    json_decref(result);
}
