/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_manifest.h"

#include "harness/build_info.h"
#include "harness/files/results.h"
#include "harness/lesson/layout.h"
#include "harness/machine/machine.h"

#include <stdio.h>

/* A row: a workload, or a pair at some sizes. */
struct row {
    const char *name, *purpose, *operation, *kind, *pair, *size_unit, *value_label, *pointer_label;
    unsigned threads;
    uint64_t chunk_ops;
    const size_t *sizes;
    size_t n_sizes;
};

/* The manifest, and the part that --resume reads: the options of the command line, with the defaults filled in. */
struct manifest {
    struct amp_matrix_options options;
    const char *version, *created, *baseline, *again;
    json_t *machine, *build, *configurations;
    struct row *rows;
    size_t n_rows;
    const struct amp_program *program; /* NULL: workloads are measured */
};

#define ROW(member, ...) AMP_FIELD(struct row, member, __VA_ARGS__)
#define FIELD(member, ...) AMP_FIELD(struct manifest, member, __VA_ARGS__)
#define LAUNCHES(member) FIELD(options.member, .most = 100000)
#define SECONDS(member) FIELD(options.member, .least = 1, .most = 86400)
static const struct amp_record begun = {
    AMP_FIELDS(FIELD(options.quick), FIELD(options.seed),
               AMP_GROUP("settings", AMP_OF(LAUNCHES(launches), LAUNCHES(timeline_launches), SECONDS(timeline_s),
                                            SECONDS(timeout_s), FIELD(options.memory_limit_b),
                                            FIELD(options.quiet_ns, .least = 1),
                                            AMP_LIST_AS("config", struct manifest, options.configs, options.n_configs),
                                            AMP_LIST_AS("traces", struct manifest, options.traces, options.n_traces,
                                                        .is_optional = true),
                                            FIELD(options.workload, .is_nullable = true), FIELD(options.baseline),
                                            FIELD(options.no_wait, .is_optional = true)))),
};
const struct amp_record amp_matrix_record = {
    AMP_FIELDS(FIELD(version), FIELD(created), AMP_WORDS(struct manifest, options.command), AMP_GROUP("", &begun),
               FIELD(machine), FIELD(build), FIELD(baseline), FIELD(again), FIELD(configurations),
               AMP_OBJECTS("workloads", struct manifest, rows, n_rows,
                           AMP_OF(ROW(name), ROW(purpose), ROW(operation), ROW(threads, .least = 1),
                                  ROW(chunk_ops, .least = 1, .is_nullable = true), ROW(kind),
                                  ROW(pair, .is_nullable = true), ROW(size_unit, .is_optional = true),
                                  ROW(value_label, .is_optional = true), ROW(pointer_label, .is_optional = true),
                                  AMP_LIST(struct row, sizes, n_sizes, .least = 1, .is_nullable = true))),
               AMP_BEHIND("program", struct manifest, program, &amp_program_record, .is_optional = true)),
    .schema = "ampersand/allocators/1",
};

static json_t *configurations(const struct amp_matrix *matrix)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < matrix->configurations.n; i++)
        json_array_append_new(array, amp_configuration_json(&matrix->configurations.list[i]));
    return array;
}

static struct row row_of(const struct amp_matrix_workload *of)
{
    struct row row = { .name = of->name, .kind = of->pair ? "pair" : "workload", .chunk_ops = AMP_NONE };

    if (of->program) {
        row.kind = "program";
        row.purpose = "A program of yours: which allocator serves it best?";
        row.operation =
            of->program->load ? "the load, from its first request to its end" : "one run, from start to end";
        row.threads = 1;
    } else if (of->pair) {
        row.purpose = of->pair->question;
        row.operation = "one operation of the pair, on its side that allocates";
        row.threads = of->pair->threads ? of->pair->threads : 1;
        row.pair = of->pair->name;
        row.size_unit = of->pair->size_unit ? of->pair->size_unit : "B";
        row.value_label = of->pair->value.label;
        row.pointer_label = of->pair->pointer.label;
        row.sizes = of->sizes;
        row.n_sizes = of->n_sizes;
    } else {
        row.purpose = of->workload->purpose;
        row.operation = of->workload->operation;
        row.threads = of->workload->threads;
        row.chunk_ops = of->workload->chunk_ops * of->workload->threads;
    }
    return row;
}

json_t *amp_matrix_built(const struct amp_matrix *matrix)
{
    json_t *built = json_object(), *tables = json_object();
    char path[PATH_MAX];
    uint32_t crc32;

    if (amp_matrix_program(path) == 0 && amp_results_crc32(path, &crc32) == 0)
        json_object_set_new(built, "program_crc32", json_integer(crc32));
    for (size_t i = 0; i < matrix->n_workloads; i++) {
        const char *lesson = matrix->workloads[i].lesson;

        if (matrix->workloads[i].replay && amp_results_crc32(matrix->workloads[i].replay->path, &crc32) == 0)
            json_object_set_new(tables, matrix->workloads[i].name, json_integer(crc32));
        if (matrix->workloads[i].program && amp_results_crc32(matrix->workloads[i].program->path, &crc32) == 0)
            json_object_set_new(built, "measured_crc32", json_integer(crc32));
        if (lesson && !json_object_get(tables, lesson) && amp_layout_crc32(lesson, &crc32) == 0)
            json_object_set_new(tables, lesson, json_integer(crc32));
    }
    json_object_set_new(built, "tables_crc32", tables);
    return built;
}

static json_t *build(const struct amp_matrix *matrix)
{
    json_t *build = amp_machine_build(), *built = amp_matrix_built(matrix);

    json_object_update(build, built);
    json_decref(built);
    return build;
}

static json_t *write_manifest(const struct amp_matrix *matrix, const struct amp_matrix_options *options,
                              struct row *rows)
{
    char created[32];
    const struct manifest manifest = {
        .options = *options, .version = AMP_VERSION, .created = amp_results_now(created),
        .baseline = matrix->configurations.list[0].name, .again = matrix->configurations.list[1].name,
        .machine = amp_machine_facts(), .build = build(matrix), .configurations = configurations(matrix),
        .rows = rows, .n_rows = matrix->n_workloads, .program = matrix->workloads[0].program
    };

    for (size_t i = 0; i < matrix->n_workloads; i++)
        rows[i] = row_of(&matrix->workloads[i]);
    return amp_record_write(&amp_matrix_record, &manifest);
}

json_t *amp_matrix_manifest(const struct amp_matrix *matrix, const struct amp_matrix_options *options)
{
    struct row *rows = calloc(matrix->n_workloads, sizeof *rows);
    json_t *json = rows ? write_manifest(matrix, options, rows) : NULL;

    free(rows);
    return json;
}

int amp_matrix_restore(const json_t *manifest, struct amp_matrix_options *options, const char **why)
{
    struct manifest m = { .options = *options };
    int err;

    m.options.workload = NULL;
    m.options.no_wait = false;
    err = amp_record_read(&begun, manifest, &m, why);
    if (!err && json_object_get(manifest, "program"))
        err = amp_record_read(&amp_program_record, json_object_get(manifest, "program"), &m.options.program, why);
    *options = m.options;
    return err;
}
