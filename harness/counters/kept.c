/* SPDX-License-Identifier: MIT */
#include "harness/counters/kept.h"

#include "harness/files/results.h"
#include "harness/files/sha256.h"
#include "harness/lesson/layout.h"
#include "harness/machine/cpu.h"

#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "ampersand/counters-kept/1"

/* By name and content; false where a library cannot be read. */
static bool add_file(json_t *files, const char *path)
{
    char hex[65];

    return amp_sha256(path, hex) && json_object_set_new(files, path, json_string(hex)) == 0;
}

static int add_library(struct dl_phdr_info *library, size_t size, void *files)
{
    (void) size;
    /* Without a path: the program itself, and what the kernel has mapped. */
    return strchr(library->dlpi_name, '/') != NULL && !add_file((json_t *) files, library->dlpi_name);
}

static json_t *valgrind_version(void)
{
    char line[128] = "";
    FILE *output = popen("valgrind --version 2>/dev/null", "re"); /* the first of PATH, as the one that is used */

    if (output && !fgets(line, sizeof line, output))
        line[0] = '\0';
    if (output)
        pclose(output);
    line[strcspn(line, "\n")] = '\0';
    return *line ? json_string(line) : NULL;
}

json_t *amp_kept_conditions(const char *valgrind, const char *allocator)
{
    json_t *files = json_object(), *version = valgrind_version();

    if (!version || !add_file(files, "/proc/self/exe") || !add_file(files, valgrind) ||
        dl_iterate_phdr(add_library, files)) {
        json_decref(files);
        json_decref(version);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:s?, s:s, s:o, s:o}", "files", files, "valgrind", version, "valgrind_lib",
                     getenv("VALGRIND_LIB"), "allocator", allocator, "cpu", amp_machine_cpu(), "caches",
                     amp_machine_caches());
}

static void name_file(const char *lesson, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s.counters.json", amp_layout_dir(), lesson);
}

json_t *amp_kept_read(const char *lesson, const json_t *conditions)
{
    char path[PATH_MAX];
    uint32_t crc32;
    json_t *kept, *results;
    bool same;

    name_file(lesson, path);
    if (!conditions || amp_layout_crc32(lesson, &crc32) || amp_results_look(path))
        return json_object();
    kept = json_load_file(path, 0, NULL);
    same = json_integer_value(json_object_get(kept, "table_crc32")) == (json_int_t) crc32 &&
           json_equal(json_object_get(kept, "conditions"), conditions);
    results = json_object_get(kept, "results");
    results = same && json_is_object(results) ? json_incref(results) : json_object();
    json_decref(kept);
    return results;
}

void amp_kept_write(const char *lesson, const json_t *conditions, const json_t *results)
{
    char path[PATH_MAX];
    uint32_t crc32;
    json_t *kept;

    if (!conditions || amp_layout_crc32(lesson, &crc32))
        return;
    name_file(lesson, path);
    kept = json_pack("{s:s, s:I, s:O, s:O}", "schema", SCHEMA, "table_crc32", (json_int_t) crc32, "conditions",
                     conditions, "results", results);
    if (kept)
        amp_results_write(path, kept);
    json_decref(kept);
}
