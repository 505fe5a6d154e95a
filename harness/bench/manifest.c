/* SPDX-License-Identifier: MIT */
#include "harness/bench/manifest.h"

#include "harness/bench/task.h"
#include "harness/bench/looks.h"
#include "harness/build_info.h"
#include "harness/files/results.h"
#include "harness/lesson/layout.h"
#include "harness/machine/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* The least |ratio - 1| worth a word. */
#define THRESHOLD 0.002

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

/* The manifest, and the part that --resume reads. */
struct manifest {
    struct amp_launch_options options;
    unsigned layouts; /* the most that a lesson was linked into */
    double threshold;
    unsigned looks[AMP_LOOKS_MOST]; /* after how many launches a row may be judged and given more */
    size_t n_looks;            /* 0: the number of launches is fixed */
    unsigned solo_looks[AMP_LOOKS_MOST]; /* the same, of solo launches */
    size_t n_solo_looks;
    const char *version, *created;
    json_t *machine, *build, *allocator, *configurations, *layout_tables, *shard; /* shard: NULL: it is none */
    struct amp_rows rows;
};

#define FIELD(member, ...) AMP_FIELD(struct manifest, member, __VA_ARGS__)
#define LAUNCHES(member) FIELD(options.member, .most = 100000)
static const struct amp_record begun = {
    AMP_FIELDS(FIELD(options.quick), FIELD(options.seed),
               AMP_GROUP("settings",
                         AMP_OF(LAUNCHES(launches), LAUNCHES(counts_launches), LAUNCHES(solo_launches),
                                FIELD(options.epoch_ns, .least = 1), FIELD(options.quiet_ns, .least = 1),
                                FIELD(options.rounds_per_block, .least = 1),
                                FIELD(layouts, .least = 1, .is_optional = true), FIELD(options.layout, .least = -1),
                                FIELD(options.timeout_s, .least = 1), FIELD(options.memory_limit_b),
                                FIELD(threshold, .most = 1, .is_optional = true),
                                FIELD(options.precision, .most = 1, .is_optional = true),
                                FIELD(options.budget_s, .is_optional = true),
                                AMP_LIST(struct manifest, looks, n_looks, .least = 1, .is_optional = true),
                                AMP_LIST(struct manifest, solo_looks, n_solo_looks, .least = 1, .is_optional = true),
                                FIELD(options.no_wait, .is_optional = true)))),
};

#define PAIR(member, ...) AMP_FIELD(struct amp_pair, member, __VA_ARGS__)
#define SIDE(side)                                                                                                     \
    AMP_GROUP(#side, AMP_OF(PAIR(side.allocs_per_op, .is_optional = true),                                             \
                            PAIR(side.bytes_per_op, .is_optional = true), PAIR(side.label, .is_optional = true)))
#define CLAIM(member, ...) AMP_FIELD(struct amp_claim, member, __VA_ARGS__)
static const struct amp_record claim_record = {
    AMP_FIELDS(CLAIM(faster), CLAIM(from), CLAIM(to), CLAIM(text), CLAIM(abi, .is_optional = true)),
};
static const struct amp_record pair_record = {
    AMP_FIELDS(PAIR(question), PAIR(threads), PAIR(size_unit, .is_optional = true), PAIR(prefer, .is_optional = true),
               PAIR(truth, .is_optional = true),
               AMP_OBJECTS("claims", struct amp_pair, claims, n_claims, &claim_record),
               PAIR(observed_by, .is_optional = true), SIDE(value), SIDE(pointer)),
};
static const struct amp_record row_record = {
    AMP_FIELDS(AMP_GROUP("", &amp_row_identity), AMP_FIELD(struct amp_row, lesson),
               AMP_BEHIND("", struct amp_row, pair, &pair_record)),
};
const struct amp_record amp_manifest_record = {
    AMP_FIELDS(FIELD(version), FIELD(created),
               AMP_WORDS(struct manifest, options.command), AMP_GROUP("", &begun),
               FIELD(shard, .is_optional = true), FIELD(machine), FIELD(build), FIELD(allocator),
               FIELD(configurations),
               AMP_OBJECTS("rows", struct manifest, rows.row, rows.n, &row_record, .are_behind = true),
               AMP_FIELD_AS("layouts", struct manifest, layout_tables)),
    .schema = AMP_MANIFEST_SCHEMA,
};

/* The table of layouts of each lesson, and the CRC-32 of its first module: equal numbers in two runs mean equal
 * code. */
static int add_lessons(const struct amp_rows *rows, json_t *tables, json_t *modules, const char **why)
{
    for (size_t i = 0; i < rows->n; i++) {
        const char *lesson = rows->row[i]->lesson;
        struct amp_layouts layouts;
        char path[PATH_MAX];
        uint32_t crc32;

        if (json_object_get(tables, lesson))
            continue;
        if (amp_layouts_open(lesson, &layouts, why))
            return -1;
        json_object_set(tables, lesson, layouts.table);
        amp_layouts_close(&layouts);
        snprintf(path, sizeof path, "%s/%s.00.so", amp_layout_dir(), lesson);
        if (amp_results_crc32(path, &crc32) == 0)
            json_object_set_new(modules, lesson, json_integer(crc32));
    }
    return 0;
}

/* Which part of a run this is. Shards of one run are of one program: its CRC-32. */
static json_t *shard_of(const char *shard)
{
    uint32_t crc32 = 0;
    unsigned k, n;

    if (!shard || !amp_rows_read_shard(shard, &k, &n))
        return NULL;
    amp_results_crc32("/proc/self/exe", &crc32);
    return json_pack("{s:i, s:i, s:I}", "k", (int) k, "n", (int) n, "bench_crc32", (json_int_t) crc32);
}

json_t *amp_manifest_make(const struct amp_rows *rows, const unsigned *layouts,
                          const struct amp_launch_options *options, const char **why)
{
    char created[32];
    struct manifest manifest = {
        .options = *options, .threshold = THRESHOLD, .n_looks = options->looks,
        .n_solo_looks = options->solo_looks, .version = AMP_VERSION,
        .created = amp_results_now(created), .machine = amp_machine_facts(), .build = amp_machine_build(),
        .allocator = amp_machine_allocator(), .configurations = json_pack("[{s:s}]", "name", AMP_CONFIGURATION),
        .layout_tables = json_object(), .rows = *rows, .shard = shard_of(options->shard)
    };
    json_t *modules = json_object(), *json;
    int err = add_lessons(rows, manifest.layout_tables, modules, why);

    json_object_set_new(manifest.build, "modules_crc32", modules);
    for (unsigned i = 0; i < options->looks; i++)
        manifest.looks[i] = amp_looks_launches(options, AMP_KIND_PAIRED, i);
    for (unsigned i = 0; i < options->solo_looks; i++)
        manifest.solo_looks[i] = amp_looks_launches(options, AMP_KIND_SOLO, i);
    for (size_t i = 0; i < rows->n; i++)
        manifest.layouts = layouts[i] > manifest.layouts ? layouts[i] : manifest.layouts;
    json = amp_record_write(&amp_manifest_record, &manifest);
    if (err) {
        json_decref(json);
        return NULL;
    }
    if (!json)
        *why = "it cannot be put into JSON";
    return json;
}

static int restore_settings(const json_t *manifest, struct amp_launch_options *options, const char **why)
{
    struct manifest m = { .options = *options };
    int err;

    m.options.no_wait = false;
    m.options.precision = m.options.budget_s = 0;
    *why = "its stopping rule is none that this program knows";
    err = amp_record_read(&begun, manifest, &m, why);
    /* Runs of older versions lack these keys: their number of launches is fixed. */
    if (!err && m.n_looks > 0 && !(m.options.precision > 0 && m.options.precision < 1 && m.options.budget_s > 0))
        err = -EPROTO;
    for (unsigned i = 0; !err && i < m.n_looks; i++)
        err = m.looks[i] == amp_looks_launches(&m.options, AMP_KIND_PAIRED, i) ? 0 : -EPROTO;
    for (unsigned i = 0; !err && i < m.n_solo_looks; i++)
        err = m.solo_looks[i] == amp_looks_launches(&m.options, AMP_KIND_SOLO, i) ? 0 : -EPROTO;
    if (m.n_looks == 0)
        m.options.precision = m.options.budget_s = 0;
    m.options.looks = (unsigned) m.n_looks;
    m.options.solo_looks = (unsigned) m.n_solo_looks;
    *options = m.options;
    return err;
}

static int restore_rows(const json_t *manifest, const struct amp_registry *registry, struct amp_rows *rows,
                        const char **why)
{
    static char words[384];
    const json_t *list = json_object_get(manifest, "rows");
    size_t n = json_array_size(list);

    snprintf(words, sizeof words, "%s", n > 0 ? strerror(ENOMEM) : "it has no rows");
    *why = words;
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
    return n > 0 ? 0 : -EPROTO;
}

int amp_manifest_restore(const json_t *manifest, const struct amp_registry *registry,
                         struct amp_launch_options *options, struct amp_rows *rows, const char **why)
{
    int err = restore_settings(manifest, options, why);

    if (!err)
        err = restore_rows(manifest, registry, rows, why);
    if (err)
        amp_rows_free(rows);
    return err;
}
