/* SPDX-License-Identifier: MIT */
#include "harness/counters/count.h"

#include "harness/counters/events.h"
#include "harness/counters/kept.h"
#include "harness/files/results.h"
#include "harness/run/process.h"
#include "harness/text/complain.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "ampersand/counters/1"
#define TIMEOUT_S 600
#define MISSING "instructions, loads, stores, branches and misses of the sides are missing"

enum { PARTS = 2, WORDS = 14 };

struct part {
    char file[16], dumps[64];
    char *rows; /* as the child reads them, see count.h */
    const char *words[WORDS];
    struct amp_process process;
};

struct count {
    char scratch[64]; /* a folder, which gets what the children and callgrind write */
    json_t *manifest, *results; /* of each row by its name */
    json_t *lessons;            /* of each by its name, the results that are kept of it, by row */
    json_t *conditions;         /* under which counts are kept; NULL: none are */
    enum amp_source source;
    char valgrind[PATH_MAX], self[PATH_MAX], allocator[4096];
    const char *environment[2];
    struct part parts[PARTS];
};

static bool find_valgrind(char out[PATH_MAX])
{
    const char *path = getenv("PATH");

    while (path && *path) {
        int length = (int) strcspn(path, ":");

        if (length > 0 && snprintf(out, PATH_MAX, "%.*s/valgrind", length, path) < PATH_MAX && access(out, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

/* Choose who counts. NULL, or why nobody can. */
static const char *choose(struct count *count)
{
    count->source = amp_events_open(&amp_events_linux);
    amp_events_open(NULL);
    if (count->source == AMP_PROCESSOR)
        return NULL;
#ifdef AMP_HAS_CALLGRIND
    if (find_valgrind(count->valgrind)) {
        count->source = AMP_VALGRIND;
        return NULL;
    }
    return "the processor's counters cannot be read, and valgrind is not installed";
#else
    return "the processor's counters cannot be read, and this program was built without valgrind's headers";
#endif
}

static void remove_scratch(const char *folder)
{
    DIR *open = opendir(folder);
    const struct dirent *entry;

    while (open && (entry = readdir(open)))
        unlinkat(dirfd(open), entry->d_name, 0);
    if (open)
        closedir(open);
    rmdir(folder);
}

static void describe(struct count *count, struct part *part)
{
    const char *const valgrind[] = { "valgrind", "-q", "--tool=callgrind", "--collect-atstart=no", "--cache-sim=yes",
                                     "--branch-sim=yes", "--dump-line=no", "--vgdb=no", part->dumps, count->self };
    size_t n = 0;

    snprintf(part->dumps, sizeof part->dumps, "--callgrind-out-file=%s.callgrind", part->file);
    if (count->source == AMP_VALGRIND)
        for (; n < sizeof valgrind / sizeof valgrind[0]; n++)
            part->words[n] = valgrind[n];
    else
        part->words[n++] = count->self;
    part->words[n++] = "counters-child";
    part->words[n++] = part->file;
    part->process = (struct amp_process){ .argv = part->words, .cpu = -1, .timeout_s = TIMEOUT_S,
                                          .program = count->source == AMP_VALGRIND ? count->valgrind : NULL,
                                          .environment = count->environment };
}

/* What is executed depends a little on what was before: on the environment, which the start of a program reads; and on
 * jemalloc, which gives memory back after some time. So keep what the program and valgrind need, and never give back. */
static int arrange(struct count *count)
{
    static const char *const kept[] = { "PATH", "LD_LIBRARY_PATH", "AMPERSAND_LESSONS", "VALGRIND_LIB" };
    const char *own = getenv("MALLOC_CONF");
    char *values[sizeof kept / sizeof kept[0]];
    int err = 0;

    snprintf(count->allocator, sizeof count->allocator, "MALLOC_CONF=%s%sdirty_decay_ms:-1,muzzy_decay_ms:-1",
             own ? own : "", own && *own ? "," : "");
    count->environment[0] = count->allocator;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        values[i] = getenv(kept[i]) ? strdup(getenv(kept[i])) : NULL;
    clearenv();
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (values[i] && setenv(kept[i], values[i], 1))
            err = -errno;
        free(values[i]);
    }
    return err;
}

/* An empty folder, in which this process and its children work. Not in the run: the length of the working folder's name
 * changes what is executed under valgrind, so it must not be that of the run. */
static int make_scratch(struct count *count)
{
    strcpy(count->scratch, P_tmpdir "/ampersand-XXXXXX");
    return !mkdtemp(count->scratch) || chdir(count->scratch) ? -errno : 0;
}

static int write_rows(const struct part *part)
{
    char path[32];
    FILE *file;

    snprintf(path, sizeof path, "%s.rows", part->file);
    file = fopen(path, "we");
    if (!file)
        return -errno;
    fputs(part->rows, file);
    return fclose(file) ? -errno : 0;
}

/* The lesson of a row of the manifest; `name`: the row's. */
static const char *read_row(json_t *row, char name[256])
{
    const char *lesson = "", *pair = "";
    json_int_t n = 0;

    json_unpack(row, "{s:s, s:s, s:I}", "lesson", &lesson, "pair", &pair, "size", &n);
    snprintf(name, 256, "%s/size=%lld", pair, (long long) n);
    return lesson;
}

/* A file that somebody has edited is JSON, too. */
static bool is_of(const json_t *result, const char *name)
{
    const char *row = json_string_value(json_object_get(result, "row"));

    return row && strcmp(row, name) == 0;
}

/* Take what was kept of the lessons' rows. */
static void take_kept(struct count *count)
{
    const json_t *rows = json_object_get(count->manifest, "rows");
    json_t *row, *result;
    char name[256];
    size_t i;

    json_array_foreach(rows, i, row) {
        const char *lesson = read_row(row, name);

        if (!json_object_get(count->lessons, lesson))
            json_object_set_new(count->lessons, lesson, amp_kept_read(lesson, count->conditions));
        result = json_object_get(json_object_get(count->lessons, lesson), name);
        if (is_of(result, name))
            json_object_set(count->results, name, result);
    }
}

/* Whether it would be the same again: not what a crash, a lack of time or of memory left open. */
static bool is_lasting(const json_t *result)
{
    const char *refused = json_string_value(json_object_get(result, "refused"));

    return result && (!refused || strcmp(refused, AMP_COUNT_THREADS) == 0);
}

/* Keep what was counted now, with what was kept before of the same lessons. */
static void keep(const struct count *count)
{
    const json_t *rows = json_object_get(count->manifest, "rows");
    json_t *row, *changed = json_object(), *results;
    const char *lesson;
    char name[256];
    size_t i;

    json_array_foreach(rows, i, row) {
        json_t *result;

        lesson = read_row(row, name);
        result = json_object_get(count->results, name);
        results = json_object_get(count->lessons, lesson);
        if (!is_lasting(result) || json_object_get(results, name) == result)
            continue;
        json_object_set(results, name, result);
        json_object_set(changed, lesson, results);
    }
    json_object_foreach(changed, lesson, results)
        amp_kept_write(lesson, count->conditions, results);
    json_decref(changed);
}

/* Every second row of those that nobody has counted, since neighbours take about as long. */
static int fill(struct count *count)
{
    const json_t *rows = json_object_get(count->manifest, "rows");
    FILE *text[PARTS];
    size_t size, i, n = 0;
    json_t *row;
    char name[256];
    int err = 0;

    for (int p = 0; p < PARTS; p++)
        text[p] = open_memstream(&count->parts[p].rows, &size);
    json_array_foreach(rows, i, row) {
        const char *lesson = read_row(row, name);

        if (!json_object_get(count->results, name) && text[n % PARTS])
            fprintf(text[n++ % PARTS], "%s %s\n", lesson, name);
    }
    for (int p = 0; p < PARTS; p++) {
        if (!text[p] || fclose(text[p]))
            err = -ENOMEM;
        if (!err)
            err = write_rows(&count->parts[p]);
    }
    return err;
}

static int share_out(struct count *count)
{
    ssize_t length = readlink("/proc/self/exe", count->self, sizeof count->self - 1);

    if (length < 0)
        return -errno;
    count->self[length] = '\0';
    for (int p = 0; p < PARTS; p++) {
        snprintf(count->parts[p].file, sizeof count->parts[p].file, "%d", p);
        describe(count, &count->parts[p]);
    }
    return fill(count);
}

/* Take in the lines that the child wrote, and say of its other rows how it ended. */
static int gather(struct count *count, struct part *part, const struct amp_outcome *outcome)
{
    FILE *file = fopen(part->file, "re");
    char *line = NULL, *rest = NULL;
    size_t cap = 0;

    while (file && getline(&line, &cap, file) > 0) {
        json_t *result = json_loads(line, 0, NULL);
        const char *name = json_string_value(json_object_get(result, "row"));

        if (name)
            json_object_set(count->results, name, result);
        json_decref(result);
    }
    free(line);
    if (file)
        fclose(file);
    for (const char *row = strtok_r(part->rows, "\n", &rest); row; row = strtok_r(NULL, "\n", &rest)) {
        const char *name = strchr(row, ' ') + 1;
        const char *why = *outcome->detail ? outcome->detail : "its process ended before it";

        if (!json_object_get(count->results, name) &&
            json_object_set_new(count->results, name, json_pack("{s:s, s:s}", "row", name, "refused", why)))
            return -ENOMEM;
    }
    return 0;
}

static int run_parts(struct count *count)
{
    const struct amp_process *processes[PARTS];
    struct amp_outcome outcomes[PARTS];
    unsigned n = 0;
    int err = 0;

    for (; n < PARTS && *count->parts[n].rows; n++) /* the first has a row more, if any has */
        processes[n] = &count->parts[n].process;
    if (n > 0)
        err = amp_process_run(processes, n, n, outcomes);
    for (unsigned p = 0; p < n && !err; p++)
        err = outcomes[p].ending == AMP_INTERRUPTED ? -EINTR : gather(count, &count->parts[p], &outcomes[p]);
    return err;
}

/* One line for all rows that nobody told the counts of; those with threads are expected. */
static void say_refused(const struct count *count)
{
    size_t refused = 0;
    const char *name, *why = NULL;
    json_t *result;

    json_object_foreach(count->results, name, result) {
        const char *each = json_string_value(json_object_get(result, "refused"));

        refused += each != NULL;
        why = each ? each : why;
    }
    if (refused > 0 && refused == json_object_size(count->results))
        amp_complain(0, "counters", MISSING ": %s", why);
}

static int write_results(const struct count *count, const char *path, const char *refused)
{
    const char *source = count->source == AMP_PROCESSOR ? "processor" : "valgrind";
    json_t *rows = json_array(), *json, *row;
    int err = rows ? 0 : -ENOMEM;
    char name[256];
    size_t i;

    json_array_foreach(json_object_get(count->manifest, "rows"), i, row) {
        read_row(row, name);
        if (json_object_get(count->results, name) && json_array_append(rows, json_object_get(count->results, name)))
            err = -ENOMEM;
    }
    json = json_pack("{s:s, s:s?, s:s?, s:o}", "schema", SCHEMA, "source", refused ? NULL : source, "refused", refused,
                     "rows", rows);
    if (!err)
        err = json ? amp_results_write(path, json) : -ENOMEM;
    json_decref(json);
    return err;
}

static int count_all(struct count *count, const char *path)
{
    const char *refused = choose(count);
    struct amp_placement placement;
    int err = 0;

    if (refused) {
        amp_complain(0, "counters", MISSING ": %s", refused);
        return write_results(count, path, refused);
    }
    err = arrange(count);
    if (!err)
        err = make_scratch(count);
    if (!err && count->source == AMP_VALGRIND) {
        count->conditions = amp_kept_conditions(count->valgrind, count->allocator);
        take_kept(count);
    }
    if (!err)
        err = share_out(count);
    if (!err)
        err = amp_process_prepare(&placement);
    if (!err)
        err = run_parts(count);
    if (!err)
        keep(count);
    if (!err)
        say_refused(count);
    return err ? err : write_results(count, path, NULL);
}

/* Once more if nobody could count then: perhaps valgrind was installed. */
static bool is_counted(const char *path)
{
    json_t *json = amp_results_look(path) ? NULL : json_load_file(path, 0, NULL);
    bool counted = json && !json_string_value(json_object_get(json, "refused"));

    json_decref(json);
    return counted;
}

/* Count what the rows of `folder`'s manifest execute, and write `path`. 0, a status of the program, or a negative errno. */
static int count_folder(struct count *count, const char *run, const char *folder, const char *path)
{
    char manifest[PATH_MAX + 32];

    snprintf(manifest, sizeof manifest, "%s/manifest.json", folder);
    count->manifest = json_load_file(manifest, 0, NULL);
    if (!json_is_array(json_object_get(count->manifest, "rows")))
        return amp_complain(2, run, "manifest.json: missing, or no manifest of a run of pairs");
    return count_all(count, path);
}

int amp_count_run(const char *run)
{
    char folder[PATH_MAX], path[PATH_MAX + 32];
    struct count count = { 0 };
    int err;

    if (!realpath(run, folder))
        return amp_complain(2, run, "%s", strerror(errno));
    snprintf(path, sizeof path, "%s/counters.json", folder);
    if (is_counted(path))
        return 0;
    count.results = json_object();
    count.lessons = json_object();
    err = count_folder(&count, run, folder, path);
    if (*count.scratch)
        remove_scratch(count.scratch);
    for (int p = 0; p < PARTS; p++)
        free(count.parts[p].rows);
    json_decref(count.results);
    json_decref(count.lessons);
    json_decref(count.conditions);
    json_decref(count.manifest);
    if (err == -EINTR)
        return 130;
    return err < 0 ? amp_complain(2, path, "%s", strerror(-err)) : err;
}
