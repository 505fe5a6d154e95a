/* SPDX-License-Identifier: MIT */
#include "harness/bench/manifest.h"

#include "harness/bench/looks.h"
#include "harness/build_info.h"
#include "harness/files/results.h"
#include "harness/lesson/layout.h"
#include "harness/machine/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

/* The least |ratio - 1| worth a word. */
#define THRESHOLD 0.002

static char words[PATH_MAX + JSON_ERROR_TEXT_LENGTH + 128];

unsigned *amp_manifest_layouts(const struct amp_rows *rows, const char **why)
{
    unsigned *layouts = calloc(rows->n + 1, sizeof *layouts);

    *why = strerror(ENOMEM);
    for (size_t i = 0; layouts && i < rows->n; i++) {
        if (i > 0 && strcmp(rows->row[i]->lesson, rows->row[i - 1]->lesson) == 0) {
            layouts[i] = layouts[i - 1];
        } else if (amp_layout_count(rows->row[i]->lesson, &layouts[i], why)) {
            free(layouts);
            return NULL;
        }
    }
    return layouts;
}

static json_t *strings(const char *const *list)
{
    json_t *array = json_array();

    for (; array && list && *list; list++)
        json_array_append_new(array, json_string(*list));
    return array;
}

/* After how many launches a row may be judged and given more: empty where their number is fixed. */
static json_t *looks(const struct amp_launch_options *options)
{
    json_t *array = json_array();

    for (unsigned i = 0; array && i < options->looks; i++)
        json_array_append_new(array, json_integer(amp_looks_launches(options, i)));
    return array;
}

static json_t *settings(const struct amp_rows *rows, const unsigned *layouts, const struct amp_launch_options *options)
{
    unsigned most = 0;

    for (size_t i = 0; i < rows->n; i++)
        most = layouts[i] > most ? layouts[i] : most;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:o, s:o*}", "launches",
                     (json_int_t) options->launches, "counts_launches", (json_int_t) options->counts_launches,
                     "solo_launches", (json_int_t) options->solo_launches, "epoch_ns", (json_int_t) options->epoch_ns,
                     "quiet_ns", (json_int_t) options->quiet_ns, "rounds_per_block",
                     (json_int_t) options->rounds_per_block, "layouts", (json_int_t) most, "layout",
                     (json_int_t) options->layout, "timeout_s", (json_int_t) options->timeout_s, "memory_limit_b",
                     (json_int_t) options->memory_limit_b, "threshold", THRESHOLD, "precision", options->precision,
                     "budget_s", (json_int_t) options->budget_s, "looks", looks(options), "no_wait",
                     options->no_wait ? json_true() : NULL);
}

static json_t *side(const struct amp_side *side)
{
    return json_pack("{s:I, s:I}", "allocs_per_op", (json_int_t) side->allocs_per_op, "bytes_per_op",
                     (json_int_t) side->bytes_per_op);
}

static json_t *row_list(const struct amp_rows *rows)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < rows->n; i++) {
        const struct amp_row *row = rows->row[i];
        const char *unit = row->pair->size_unit, *prefer = row->pair->prefer; /* NULL: the key is left out */
        const char *observed_by = row->pair->observed_by;

        json_array_append_new(
            array, json_pack("{s:s, s:I, s:s, s:s, s:I, s:s*, s:s*, s:s*, s:o, s:o}", "pair", row->pair->name, "size",
                             (json_int_t) row->size, "lesson", row->lesson, "question", row->pair->question, "threads",
                             (json_int_t) row->pair->threads, "size_unit", unit, "prefer", prefer, "observed_by",
                             observed_by, "value", side(&row->pair->value), "pointer", side(&row->pair->pointer)));
    }
    return array;
}

static json_t *tables(const struct amp_rows *rows, const char **why)
{
    json_t *object = json_object();

    for (size_t i = 0; object && i < rows->n; i++) {
        const char *lesson = rows->row[i]->lesson;
        char path[PATH_MAX];
        json_error_t error;
        json_t *table;

        if (json_object_get(object, lesson))
            continue;
        snprintf(path, sizeof path, "%s/%s.layouts.json", amp_layout_dir(), lesson);
        table = json_load_file(path, 0, &error);
        if (!table) {
            snprintf(words, sizeof words, "%s: line %d: %s: build again", path, error.line, error.text);
            *why = words;
            json_decref(object);
            return NULL;
        }
        json_object_set_new(object, lesson, table);
    }
    return object;
}

/* What was built, with the CRC-32 of each lesson's first module: two runs that have the same measured the same code. */
static json_t *build(const struct amp_rows *rows)
{
    json_t *build = amp_machine_build(), *modules = json_object();

    for (size_t i = 0; modules && i < rows->n; i++) {
        const char *lesson = rows->row[i]->lesson;
        char path[PATH_MAX];
        uint32_t crc32;

        snprintf(path, sizeof path, "%s/%s.00.so", amp_layout_dir(), lesson);
        if (!json_object_get(modules, lesson) && amp_results_crc32(path, &crc32) == 0)
            json_object_set_new(modules, lesson, json_integer(crc32));
    }
    if (build && json_object_set_new(build, "modules_crc32", modules)) {
        json_decref(build);
        build = NULL;
    }
    return build;
}

json_t *amp_manifest_make(const struct amp_rows *rows, const unsigned *layouts,
                          const struct amp_launch_options *options, const char **why)
{
    json_t *lessons = tables(rows, why), *manifest;
    time_t now = time(NULL);
    char created[32];
    struct tm utc;

    if (!lessons)
        return NULL;
    gmtime_r(&now, &utc);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    manifest = json_pack("{s:s, s:s, s:s, s:o, s:b, s:I, s:o, s:o, s:o, s:o, s:[{s:s}], s:o, s:o}", "schema",
                         AMP_MANIFEST_SCHEMA, "version", AMP_VERSION, "created", created, "command",
                         strings(options->command), "quick", (int) options->quick, "seed", (json_int_t) options->seed,
                         "settings", settings(rows, layouts, options), "machine", amp_machine_facts(), "build",
                         build(rows), "allocator", amp_machine_allocator(), "configurations", "name", AMP_CONFIGURATION,
                         "rows", row_list(rows), "layouts", lessons);
    if (!manifest)
        *why = "it cannot be put into JSON";
    return manifest;
}

json_t *amp_manifest_load(const char *dir, const char *schema, const char **why)
{
    char path[PATH_MAX];
    const char *written;
    json_error_t error;
    json_t *manifest;
    int err;

    *why = words;
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    err = amp_results_look(path);
    if (err) {
        snprintf(words, sizeof words, "%s; there is no run to go on with, start one with --out %s",
                 err == -ESPIPE ? "it is no ordinary file" : strerror(-err), dir);
        return NULL;
    }
    manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!manifest) {
        snprintf(words, sizeof words, "line %d: %s", error.line, error.text);
        return NULL;
    }
    written = json_string_value(json_object_get(manifest, "schema"));
    if (written && strcmp(written, schema) == 0)
        return manifest;
    snprintf(words, sizeof words, "it is of schema '%.64s', here only '%s' can be gone on with",
             written ? written : "none", schema);
    json_decref(manifest);
    return NULL;
}

static int restore_settings(const json_t *manifest, struct amp_launch_options *options)
{
    json_int_t seed, launches, counts, solo, epoch_ns, quiet_ns, rounds, layout, timeout_s, memory_b;
    json_error_t error;
    int quick, no_wait = false;

    if (json_unpack_ex((json_t *) manifest, &error, 0,
                       "{s:b, s:I, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s?b}}", "quick", &quick, "seed",
                       &seed, "settings", "launches", &launches, "counts_launches", &counts, "solo_launches", &solo,
                       "epoch_ns", &epoch_ns, "quiet_ns", &quiet_ns, "rounds_per_block", &rounds, "layout", &layout,
                       "timeout_s", &timeout_s, "memory_limit_b", &memory_b, "no_wait", &no_wait)) {
        snprintf(words, sizeof words, "%s", error.text);
        return -EPROTO;
    }
    if (launches < 0 || launches > 100000 || counts < 0 || counts > 100000 || solo < 0 || solo > 100000 ||
        epoch_ns <= 0 || quiet_ns <= 0 || rounds <= 0 || timeout_s <= 0 || timeout_s > UINT_MAX || memory_b < 0 ||
        layout < -1) {
        snprintf(words, sizeof words, "a setting is out of its range");
        return -EPROTO;
    }
    options->quick = quick;
    options->no_wait = no_wait;
    options->seed = (uint64_t) seed;
    options->launches = (unsigned) launches;
    options->counts_launches = (unsigned) counts;
    options->solo_launches = (unsigned) solo;
    options->epoch_ns = (uint64_t) epoch_ns;
    options->quiet_ns = (uint64_t) quiet_ns;
    options->rounds_per_block = (unsigned) rounds;
    options->layout = (int) layout;
    options->timeout_s = (unsigned) timeout_s;
    options->memory_limit_b = (uint64_t) memory_b;
    return 0;
}

/* The stopping rule. A run of a version that did not have it has none of its keys: a fixed number of launches. */
static int restore_stopping(const json_t *manifest, struct amp_launch_options *options)
{
    const json_t *settings = json_object_get(manifest, "settings"), *list = json_object_get(settings, "looks");
    json_int_t budget_s = json_integer_value(json_object_get(settings, "budget_s"));
    double precision = json_number_value(json_object_get(settings, "precision"));
    size_t n = json_array_size(list);
    bool well = n == 0 || (n <= AMP_LOOKS && precision > 0 && precision < 1 && budget_s > 0 && budget_s < UINT_MAX);

    for (size_t i = 0; well && i < n; i++)
        well =
            json_integer_value(json_array_get(list, i)) == (json_int_t) amp_looks_launches(options, (unsigned) i);
    if (!well) {
        snprintf(words, sizeof words, "its stopping rule is none that this program knows");
        return -EPROTO;
    }
    options->looks = (unsigned) n;
    options->precision = n > 0 ? precision : 0;
    options->budget_s = n > 0 ? (unsigned) budget_s : 0;
    return 0;
}

static int restore_rows(const json_t *manifest, const struct amp_registry *registry, struct amp_rows *rows)
{
    const json_t *list = json_object_get(manifest, "rows");
    size_t n = json_array_size(list);

    *rows = (struct amp_rows){ .row = calloc(n + 1, sizeof *rows->row) };
    if (!rows->row)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        char name[256];
        const char *pair = "";
        json_int_t size = 0;

        if (json_unpack(json_array_get(list, i), "{s:s, s:I}", "pair", &pair, "size", &size)) {
            snprintf(words, sizeof words, "row %zu has no pair and size", i);
            return -EPROTO;
        }
        snprintf(name, sizeof name, "%s/size=%" JSON_INTEGER_FORMAT, pair, size);
        rows->row[rows->n] = amp_registry_find(registry, name);
        if (!rows->row[rows->n++]) {
            snprintf(words, sizeof words, "this build has no row %s: it was measured by another", name);
            return -ENOENT;
        }
    }
    if (n > 0)
        return 0;
    snprintf(words, sizeof words, "it has no rows");
    return -EPROTO;
}

int amp_manifest_restore(const json_t *manifest, const struct amp_registry *registry,
                         struct amp_launch_options *options, struct amp_rows *rows, const char **why)
{
    int err;

    snprintf(words, sizeof words, "%s", strerror(ENOMEM));
    *why = words;
    err = restore_settings(manifest, options);
    if (!err)
        err = restore_stopping(manifest, options);
    if (!err)
        err = restore_rows(manifest, registry, rows);
    if (err)
        amp_rows_free(rows);
    return err;
}

const char *amp_manifest_differ(const json_t *old, const json_t *now)
{
    static const struct {
        const char *part, *key, *words;
    } parts[] = {
        { "machine", "cpu", "the CPU" },
        { "machine", "arch", "the architecture" },
        { "machine", "cpus", "the number of CPUs" },
        { "machine", "cpus_allowed", "how many CPUs this process may use" },
        { "machine", "kernel", "the kernel" },
        { "build", NULL, "the build" },
        { "layouts", NULL, "the lessons' modules" },
        { "rows", NULL, "the lessons" },
        { "allocator", NULL, "the allocator or its options" },
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const json_t *a = json_object_get(old, parts[i].part), *b = json_object_get(now, parts[i].part);

        if (parts[i].key) {
            a = json_object_get(a, parts[i].key);
            b = json_object_get(b, parts[i].key);
        }
        if ((a || (b && !parts[i].key)) && !json_equal(a, b)) /* a fact that an older run does not have is none */
            return parts[i].words;
    }
    return NULL;
}
