/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_manifest.h"

#include "harness/bench/built.h"
#include "harness/bench/manifest.h"
#include "harness/build_info.h"
#include "harness/files/results.h"
#include "harness/machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static json_t *word_list(const char *const *list, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < n; i++)
        json_array_append_new(array, json_string(list[i]));
    return array;
}

static size_t length(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* All that --resume must know: what the command line said, and what was filled in where it said nothing. */
static json_t *settings(const struct amp_matrix_options *options)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s?, s:s, s:o*}", "launches", (json_int_t) options->launches,
                     "timeline_launches", (json_int_t) options->timeline_launches, "timeline_s",
                     (json_int_t) options->timeline_s, "timeout_s", (json_int_t) options->timeout_s, "memory_limit_b",
                     (json_int_t) options->memory_limit_b, "quiet_ns", (json_int_t) options->quiet_ns, "config",
                     word_list(options->configs, options->n_configs), "workload", options->workload, "baseline",
                     options->baseline, "no_wait", options->no_wait ? json_true() : NULL);
}

static json_t *configurations(const struct amp_matrix *matrix)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < matrix->configurations.n; i++)
        json_array_append_new(array, amp_configuration_json(&matrix->configurations.list[i]));
    return array;
}

static json_t *size_list(const struct amp_matrix_workload *workload)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < workload->n_sizes; i++)
        json_array_append_new(array, json_integer((json_int_t) workload->sizes[i]));
    return array;
}

static json_t *workload_json(const struct amp_matrix_workload *row)
{
    if (row->pair)
        return json_pack("{s:s, s:s, s:s, s:i, s:n, s:s, s:s, s:s, s:o}", "name", row->name, "purpose",
                         row->pair->question, "operation", "one operation of the pair, on its side that allocates",
                         "threads", row->pair->threads ? (int) row->pair->threads : 1, "chunk_ops", "kind", "pair",
                         "pair", row->pair->name, "size_unit", row->pair->size_unit ? row->pair->size_unit : "B",
                         "sizes", size_list(row));
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:n, s:n}", "name", row->name, "purpose", row->workload->purpose,
                     "operation", row->workload->operation, "threads", (json_int_t) row->workload->threads, "chunk_ops",
                     (json_int_t) (row->workload->chunk_ops * row->workload->threads), "kind", "workload", "pair",
                     "sizes");
}

static json_t *workloads(const struct amp_matrix *matrix)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < matrix->n_workloads; i++)
        json_array_append_new(array, workload_json(&matrix->workloads[i]));
    return array;
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

        if (lesson && !json_object_get(tables, lesson) && amp_built_crc32(lesson, &crc32) == 0)
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

json_t *amp_matrix_manifest(const struct amp_matrix *matrix, const struct amp_matrix_options *options)
{
    time_t now = time(NULL);
    char created[32];
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:b, s:I, s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "schema", "ampersand/allocators/1",
        "version", AMP_VERSION, "created", created, "command", word_list(options->command, length(options->command)),
        "quick", (int) options->quick, "seed", (json_int_t) options->seed, "settings", settings(options), "machine",
        amp_machine_facts(), "build", build(matrix), "baseline", matrix->configurations.list[0].name, "again",
        matrix->configurations.list[1].name, "configurations", configurations(matrix), "workloads", workloads(matrix));
}

int amp_matrix_restore(const json_t *manifest, struct amp_matrix_options *options, const char **why)
{
    json_int_t seed, launches, timelines, timeline_s, timeout_s, memory_b, quiet_ns;
    const json_t *config;
    json_error_t error;
    static char words[JSON_ERROR_TEXT_LENGTH + 64];
    int quick, no_wait = false;

    *why = words;
    if (json_unpack_ex((json_t *) manifest, &error, 0, "{s:b, s:I, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s, s?b}}",
                       "quick", &quick, "seed", &seed, "settings", "launches", &launches, "timeline_launches",
                       &timelines, "timeline_s", &timeline_s, "timeout_s", &timeout_s, "memory_limit_b", &memory_b,
                       "quiet_ns", &quiet_ns, "config", &config, "baseline", &options->baseline, "no_wait", &no_wait)) {
        snprintf(words, sizeof words, "%s", error.text);
        return -EPROTO;
    }
    if (launches < 0 || launches > 100000 || timelines < 0 || timelines > 100000 || timeline_s < 1 ||
        timeline_s > 86400 || timeout_s < 1 || timeout_s > 86400 || memory_b < 0 || quiet_ns < 1 ||
        json_array_size(config) > AMP_CONFIGS) {
        snprintf(words, sizeof words, "a setting is out of its range");
        return -EPROTO;
    }
    options->quick = quick;
    options->no_wait = no_wait;
    options->seed = (uint64_t) seed;
    options->launches = (unsigned) launches;
    options->timeline_launches = (unsigned) timelines;
    options->timeline_s = (unsigned) timeline_s;
    options->timeout_s = (unsigned) timeout_s;
    options->memory_limit_b = (uint64_t) memory_b;
    options->quiet_ns = (uint64_t) quiet_ns;
    options->workload = json_string_value(json_object_get(json_object_get(manifest, "settings"), "workload"));
    options->n_configs = json_array_size(config);
    for (size_t i = 0; i < options->n_configs; i++)
        options->configs[i] = json_string_value(json_array_get(config, i));
    return 0;
}

const char *amp_matrix_differ(const json_t *old, const json_t *now)
{
    static const struct {
        const char *part, *words;
    } parts[] = { { "workloads", "the workloads" }, { "configurations", "the configurations" } };
    const char *differs = amp_manifest_differ(old, now);

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && !differs; i++)
        if (!json_equal(json_object_get(old, parts[i].part), json_object_get(now, parts[i].part)))
            differs = parts[i].words;
    return differs;
}
