/* SPDX-License-Identifier: MIT
 *
 * Prints the tables of fields of what C writes, as JSON Schemas have it: for record_schema_test.py. */
#include "benchmarks/gc/result.h"
#include "harness/allocators/configuration/configuration.h"
#include "harness/allocators/matrix_manifest.h"
#include "harness/allocators/program/program.h"
#include "harness/allocators/provenance/probe.h"
#include "harness/allocators/workload/child.h"
#include "harness/bench/child.h"
#include "harness/bench/manifest.h"
#include "harness/collectors/manifest.h"

#include <stdio.h>
#include <string.h>

static void describe(const struct amp_record *record, json_t *properties, json_t *required);

static json_t *object_of(const struct amp_record *record)
{
    json_t *properties = json_object(), *required = json_array();

    if (record->schema)
        json_object_set_new(properties, "schema", json_pack("{s:s}", "const", record->schema));
    describe(record, properties, required);
    return json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required", required);
}

static json_t *item_of(const struct amp_field *field)
{
    static const char *const types[] = { [AMP_BOOL] = "boolean",   [AMP_UNSIGNED] = "integer", [AMP_SIGNED] = "integer",
                                         [AMP_REAL] = "number",    [AMP_TEXT] = "string",      [AMP_JSON] = "anything",
                                         [AMP_OBJECT] = "object" };
    json_t *item =
        field->kind == AMP_OBJECT ? object_of(field->record) : json_pack("{s:s}", "type", types[field->kind]);

    if (field->kind == AMP_UNSIGNED || field->kind == AMP_SIGNED || field->kind == AMP_REAL) {
        json_object_set_new(item, "minimum", json_real(field->least));
        if (field->most > 0)
            json_object_set_new(item, "maximum", json_real(field->most));
    }
    return item;
}

static void describe(const struct amp_record *record, json_t *properties, json_t *required)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct amp_field *field = &record->fields[i];
        const char *dot = strrchr(field->key, '.'), *key = dot ? dot + 1 : field->key;
        json_t *value;

        if (!*key) {
            describe(field->record, properties, required);
            continue;
        }
        value = field->is_list ? json_pack("{s:s, s:o}", "type", "array", "items", item_of(field)) : item_of(field);
        if (field->is_nullable)
            json_object_set_new(value, "nullable", json_true());
        if (!field->is_optional || !(field->is_behind || field->kind <= AMP_BOOL || field->kind >= AMP_TEXT))
            json_array_append_new(required, json_string(key));
        if (json_object_get(properties, key))
            fprintf(stderr, "%s stands twice\n", key);
        json_object_set_new(properties, key, value);
    }
}

int main(void)
{
    const struct {
        const char *name;
        const struct amp_record *record;
    } records[] = {
        { "launch", &amp_launch_record },
        { "counts", &amp_counts_record },
        { "run", &amp_manifest_record },
        { "allocators", &amp_matrix_record },
        { "allocators configurations", &amp_configuration_record },
        { "workload", &amp_workload_record },
        { "workload-pair", &amp_workload_pair_record },
        { "workload-pair rows", &amp_workload_row_record },
        { "timeline", &amp_timeline_record },
        { "program", &amp_program_launch_record },
        { "provenance", &amp_probe_record },
        { "gc", &amp_collectors_record },
        { "gc-launch", &gc_result_record },
        { "gc-graph", &gc_graph_record },
    };
    json_t *all = json_object();

    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        json_object_set_new(all, records[i].name, object_of(records[i].record));
    json_dumpf(all, stdout, 0);
    json_decref(all);
    return 0;
}
