/* SPDX-License-Identifier: MIT */
#include "harness/files/run_folder.h"

#include "harness/files/folder.h"
#include "harness/files/results.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int lock(const char *dir, struct amp_journal **journal)
{
    int err = amp_journal_open(dir, journal);

    if (err == -EWOULDBLOCK)
        return amp_complain(2, dir, "another ampersand is writing this run");
    return err ? amp_complain(2, dir, "%s", strerror(-err)) : 0;
}

int amp_run_folder_new(const char *dir, uint64_t need_b, const json_t *manifest, struct amp_journal **journal)
{
    const char *why = "";
    char path[PATH_MAX];
    int err = amp_folder_prepare(dir, need_b, &why), status;

    if (err)
        return amp_complain(2, dir, "%s", why);
    status = lock(dir, journal);
    if (status)
        return status;
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    if (access(path, F_OK) == 0) /* another run took the folder before this one locked it */
        return amp_complain(2, dir, "it holds a run already");
    err = amp_results_write(path, manifest);
    return err ? amp_complain(2, path, "%s", strerror(-err)) : 0;
}

/* The CRC-32 of the manifest in the first line of the journal; false if there is none. */
static bool noted_crc32(const char *dir, uint32_t *out)
{
    char path[PATH_MAX], line[4096];
    json_t *event = NULL, *noted;
    FILE *file;

    snprintf(path, sizeof path, "%s/journal.jsonl", dir);
    file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file) && strchr(line, '\n'))
        event = json_loads(line, 0, NULL);
    if (file)
        fclose(file);
    noted = json_object_get(event, "manifest_crc32");
    *out = (uint32_t) json_integer_value(noted);
    json_decref(event);
    return noted != NULL;
}

/* The manifest must be the one that the run began with, since the results belong to it. */
static int hold_to_manifest(const char *dir)
{
    char path[PATH_MAX];
    uint32_t noted, now;

    snprintf(path, sizeof path, "%s/manifest.json", dir);
    if (!noted_crc32(dir, &noted) || (amp_results_crc32(path, &now) == 0 && now == noted))
        return 0;
    return amp_complain(2, path, "changed since the run began: the journal keeps another CRC-32 of it; start a new run "
                                  "with --out");
}

int amp_run_folder_look(const char *dir)
{
    static const char *const names[] = { "manifest.json", "journal.jsonl" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        struct stat is;

        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (stat(path, &is) == 0 && !S_ISREG(is.st_mode))
            return amp_complain(2, path, "not a file that can be read: a folder, a pipe or a device");
    }
    return 0;
}

json_t *amp_run_folder_manifest(const char *dir, const char *schema, const char **why)
{
    static char words[PATH_MAX + JSON_ERROR_TEXT_LENGTH + 128];
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

int amp_run_folder_old(const char *dir, struct amp_journal **journal)
{
    int status = lock(dir, journal), err;

    if (!status)
        status = hold_to_manifest(dir);
    if (status)
        return status;
    err = amp_folder_clean(dir);
    return err ? amp_complain(2, dir, "%s", strerror(-err)) : 0;
}
