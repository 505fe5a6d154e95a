/* SPDX-License-Identifier: MIT
 *
 * source   github.com/google/pprof, proto/profile.proto
 */
#include "harness/profile/samples/proto.h"

#include "harness/files/protobuf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <zlib.h>

/* Numbers of the fields, by message. */
enum { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_MAPPING, PROFILE_LOCATION, PROFILE_FUNCTION, PROFILE_STRINGS,
       PROFILE_TIME_NS = 9, PROFILE_DURATION_NS, PROFILE_PERIOD_TYPE, PROFILE_PERIOD, PROFILE_COMMENT,
       PROFILE_DEFAULT_TYPE };
enum { TYPE_TYPE = 1, TYPE_UNIT };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_TEXT, LABEL_NUMBER, LABEL_UNIT };
enum { MAPPING_ID = 1, MAPPING_START, MAPPING_LIMIT, MAPPING_OFFSET, MAPPING_FILE, MAPPING_BUILD_ID,
       MAPPING_HAS_FUNCTIONS, MAPPING_HAS_FILES, MAPPING_HAS_LINES, MAPPING_HAS_INLINED };
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };

/* A text, or a function by name and file. */
struct known {
    char *key;
    uint64_t number;
    UT_hash_handle hh;
};

struct writing {
    const struct amp_profile *profile;
    struct amp_message out, part, line; /* the whole; a message in it; a message in that */
    struct known *texts, *functions;
};

/* 0 is what a field is that is not there. */
static void put_number(struct amp_message *m, unsigned field, uint64_t value)
{
    if (value != 0)
        amp_message_number(m, field, value);
}

/* The number of a key; *is_new if it was not there. */
static uint64_t number_of(struct writing *w, struct known **table, const char *key, bool *is_new)
{
    struct known *known;
    size_t before = HASH_COUNT(*table);

    HASH_FIND_STR(*table, key, known);
    *is_new = !known;
    if (known)
        return known->number;
    known = calloc(1, sizeof *known);
    if (known)
        known->key = strdup(key);
    if (!known || !known->key) {
        free(known);
        w->out.failed = true;
        return 0;
    }
    known->number = before;
    HASH_ADD_KEYPTR(hh, *table, known->key, strlen(known->key), known);
    return known->number;
}

static uint64_t text(struct writing *w, const char *value)
{
    bool is_new;
    uint64_t number = number_of(w, &w->texts, value ? value : "", &is_new);

    if (is_new)
        amp_message_text(&w->out, PROFILE_STRINGS, value ? value : "");
    return number;
}

static void put_type(struct writing *w, unsigned field, const char *type, const char *unit)
{
    put_number(&w->part, TYPE_TYPE, text(w, type));
    put_number(&w->part, TYPE_UNIT, text(w, unit));
    amp_message_put(&w->out, field, &w->part);
}

static uint64_t function(struct writing *w, const struct amp_line *line)
{
    char key[PATH_MAX + 1024];
    bool is_new;
    uint64_t number;

    snprintf(key, sizeof key, "%s\n%s", line->function ? line->function : "", line->file ? line->file : "");
    number = number_of(w, &w->functions, key, &is_new) + 1;
    if (!is_new)
        return number;
    put_number(&w->part, FUNCTION_ID, number);
    put_number(&w->part, FUNCTION_NAME, text(w, line->function));
    put_number(&w->part, FUNCTION_SYSTEM_NAME, text(w, line->function));
    put_number(&w->part, FUNCTION_FILE, text(w, line->file));
    amp_message_put(&w->out, PROFILE_FUNCTION, &w->part);
    return number;
}

static void put_mapping(struct writing *w, const struct amp_mapping *mapping, uint64_t id)
{
    put_number(&w->part, MAPPING_ID, id);
    put_number(&w->part, MAPPING_START, mapping->start);
    put_number(&w->part, MAPPING_LIMIT, mapping->end);
    put_number(&w->part, MAPPING_OFFSET, mapping->offset);
    put_number(&w->part, MAPPING_FILE, text(w, mapping->path));
    put_number(&w->part, MAPPING_BUILD_ID, text(w, mapping->build_id));
    put_number(&w->part, MAPPING_HAS_FUNCTIONS, mapping->has_functions);
    put_number(&w->part, MAPPING_HAS_FILES, mapping->has_lines);
    put_number(&w->part, MAPPING_HAS_LINES, mapping->has_lines);
    put_number(&w->part, MAPPING_HAS_INLINED, mapping->has_lines);
    amp_message_put(&w->out, PROFILE_MAPPING, &w->part);
}

static uint64_t id_of(const struct amp_profile *profile, const struct amp_mapping *mapping)
{
    for (size_t i = 0; i < profile->n_mappings; i++)
        if (profile->mappings[i] == mapping)
            return i + 1;
    return 0;
}

static void put_location(struct writing *w, const struct amp_location *location)
{
    uint64_t functions[64];
    size_t n = location->n_lines < 64 ? location->n_lines : 64;

    for (size_t i = 0; i < n; i++) /* first: they use the same buffer */
        functions[i] = function(w, &location->lines[i]);
    put_number(&w->part, LOCATION_ID, location->id);
    put_number(&w->part, LOCATION_MAPPING, id_of(w->profile, location->mapping));
    put_number(&w->part, LOCATION_ADDRESS, location->address);
    for (size_t i = 0; i < n; i++) {
        put_number(&w->line, LINE_FUNCTION, functions[i]);
        put_number(&w->line, LINE_LINE, location->lines[i].line);
        amp_message_put(&w->part, LOCATION_LINE, &w->line);
    }
    amp_message_put(&w->out, PROFILE_LOCATION, &w->part);
}

static void put_label(struct writing *w, const char *key, const char *value, uint64_t number, const char *unit)
{
    put_number(&w->line, LABEL_KEY, text(w, key));
    put_number(&w->line, LABEL_TEXT, value ? text(w, value) : 0);
    put_number(&w->line, LABEL_NUMBER, number);
    put_number(&w->line, LABEL_UNIT, unit ? text(w, unit) : 0);
    amp_message_put(&w->part, SAMPLE_LABEL, &w->line);
}

static void put_sample(struct writing *w, const struct amp_sample *sample)
{
    static const char *const endings[] = { NULL, "guessed", "cut", "broken" };
    const struct amp_profile_counts *c = &sample->counts;

    for (size_t i = 0; i < sample->n; i++)
        amp_message_varint(&w->line, sample->stack[i]->id);
    amp_message_put(&w->part, SAMPLE_LOCATION, &w->line);
    for (size_t i = 0; i < w->profile->n_types; i++)
        amp_message_varint(&w->line, (uint64_t) sample->values[i]);
    amp_message_put(&w->part, SAMPLE_VALUE, &w->line);
    if (c->allocs > 0 && c->bytes > 0)
        put_label(w, "bytes", NULL, c->bytes / c->allocs, "bytes");
    if (endings[sample->ending & 3])
        put_label(w, "stack", endings[sample->ending & 3], 0, NULL);
    if (sample->is_base)
        put_label(w, "pprof::base", "true", 0, NULL);
    amp_message_put(&w->out, PROFILE_SAMPLE, &w->part);
}

static void put_profile(struct writing *w, uint64_t duration_ns, const char *comment)
{
    const struct amp_profile *profile = w->profile;

    text(w, ""); /* the first text is the empty one */
    for (size_t i = 0; i < profile->n_types; i++)
        put_type(w, PROFILE_SAMPLE_TYPE, profile->types[i].type, profile->types[i].unit);
    put_type(w, PROFILE_PERIOD_TYPE, profile->period_type.type, profile->period_type.unit);
    put_number(&w->out, PROFILE_PERIOD, profile->period);
    put_number(&w->out, PROFILE_DEFAULT_TYPE, text(w, profile->default_type));
    put_number(&w->out, PROFILE_TIME_NS, profile->begin_ns);
    put_number(&w->out, PROFILE_DURATION_NS, duration_ns);
    if (comment)
        put_number(&w->out, PROFILE_COMMENT, text(w, comment));
    if (profile->sample_b) {
        char sampled[128];

        snprintf(sampled, sizeof sampled, "sampled: one allocation in each %" PRIu64 " bytes on average; values are scaled",
                 profile->sample_b);
        put_number(&w->out, PROFILE_COMMENT, text(w, sampled));
    }
    for (size_t i = 0; i < profile->n_mappings; i++)
        put_mapping(w, profile->mappings[i], i + 1);
    for (size_t i = 0; i < profile->n_locations; i++)
        put_location(w, profile->locations[i]);
    for (size_t i = 0; i < profile->n_samples; i++)
        put_sample(w, &profile->samples[i]);
}

static int compress_to(int fd, const struct amp_message *b)
{
    gzFile file = gzdopen(dup(fd), "wb6");
    size_t at = 0;

    if (!file)
        return -ENOMEM;
    while (at < b->n) {
        unsigned part = b->n - at < 1u << 20 ? (unsigned) (b->n - at) : 1u << 20;

        if (gzwrite(file, b->bytes + at, part) != (int) part)
            break;
        at += part;
    }
    if (gzclose(file) != Z_OK || at < b->n)
        return errno ? -errno : -EIO;
    return fsync(fd) && errno != EINVAL ? -errno : 0; /* EINVAL: a pipe or a device */
}

/* A pipe or a device is written to: another file in its place would take it away from everybody. */
static bool is_special(const char *path)
{
    struct stat file;

    return stat(path, &file) == 0 && !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode);
}

int amp_proto_can_save(const char *path)
{
    const char *last = strrchr(path, '/');
    char folder[PATH_MAX];
    struct stat found;

    if (is_special(path))
        return access(path, W_OK) ? -errno : 0;
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return -EISDIR;
    if (snprintf(folder, sizeof folder, "%.*s", last ? (int) (last + 1 - path) : 1, last ? path : ".") >=
        (int) sizeof folder)
        return -ENAMETOOLONG;
    return access(folder, W_OK | X_OK) ? -errno : 0;
}

static int save(const struct amp_message *b, const char *path)
{
    const bool special = is_special(path);
    char temporary[PATH_MAX];
    int fd, err;

    if (special)
        snprintf(temporary, sizeof temporary, "%s", path);
    else if (snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long) getpid()) >= (int) sizeof temporary)
        return -ENAMETOOLONG;
    fd = open(temporary, O_WRONLY | O_CLOEXEC | (special ? 0 : O_CREAT | O_TRUNC | O_NOFOLLOW), 0666);
    if (fd < 0)
        return -errno;
    errno = 0;
    err = compress_to(fd, b);
    if (close(fd) && !err)
        err = -errno;
    if (!err && !special && rename(temporary, path))
        err = -errno;
    if (err && !special)
        unlink(temporary);
    return err;
}

static void free_known(struct known **table)
{
    struct known *known, *next;

    HASH_ITER(hh, *table, known, next) {
        HASH_DEL(*table, known);
        free(known->key);
        free(known);
    }
}

int amp_proto_save(const struct amp_profile *profile, const char *path, uint64_t duration_ns, const char *comment)
{
    struct writing w = { .profile = profile };
    int err;

    put_profile(&w, duration_ns, comment);
    err = w.out.failed ? -ENOMEM : save(&w.out, path);
    free_known(&w.texts);
    free_known(&w.functions);
    free(w.out.bytes);
    free(w.part.bytes);
    free(w.line.bytes);
    return err;
}
