/* SPDX-License-Identifier: MIT
 *
 *   ampersand-profile --rows RUN      some rows at once
 *     ampersand-bench profile-child   before it the library that counts
 *       a side of a row               a process, which does AMP_PROFILED_OPS operations and leaves a file of counts
 *
 * All files are read into one profile, so that each library is asked for its names once. */
#include "harness/profile/rows.h"

#include "harness/files/results.h"
#include "harness/profile/launch/launch.h"
#include "harness/profile/launch/orphans.h"
#include "harness/profile/launch/scratch.h"
#include "harness/profile/recorded.h"
#include "harness/profile/samples/store.h"
#include "harness/profile/samples/symbols.h"
#include "harness/profile/show.h"
#include "harness/program/program.h"
#include "harness/text/complain.h"
#include "harness/text/utf8.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCHEMA "ampersand/allocations/1"
#define OPS 100 /* AMP_PROFILED_OPS of harness/bench/alone */
#define ROWS 64 /* at once: each side's file takes a MiB */
#define MISSING "which lines of the sides allocate is missing"

struct profiling {
    char bench[PATH_MAX], library[PATH_MAX];
    json_t *rows, *frames, *frame_numbers; /* of the file; a frame's number by its text */
};

/* A side, as its process told it. */
struct side {
    const char *row, *why; /* of the text that was told; why: what went wrong, empty if nothing did */
    bool is_value;
};

/* What one start of ampersand-bench did. */
struct batch {
    char folder[PATH_MAX], *text;
    struct side sides[2 * ROWS];
    int32_t pids[2 * ROWS];
    bool are_found[2 * ROWS];
    size_t n;
    struct amp_profile profile;
};

/* Whether a row says that it allocates, or does not say that it does not. */
static bool allocates(const json_t *row)
{
    double value = 1, pointer = 1;

    json_unpack((json_t *) (uintptr_t) row, "{s:{s:F}, s:{s:F}}", "value", "allocs_per_op", &value, "pointer",
                "allocs_per_op", &pointer);
    return value > 0 || pointer > 0;
}

static int write_names(const char *folder, const json_t *rows, size_t first, size_t n, char *path)
{
    FILE *names;

    snprintf(path, PATH_MAX, "%.*s/.rows", PATH_MAX - 16, folder);
    names = fopen(path, "we");
    if (!names)
        return -errno;
    for (size_t i = first; i < first + n; i++) {
        const json_t *row = json_array_get(rows, i);

        fprintf(names, "%s/size=%" JSON_INTEGER_FORMAT "\n", json_string_value(json_object_get(row, "pair")),
                json_integer_value(json_object_get(row, "size")));
    }
    return fclose(names) ? -errno : 0;
}

/* All that was written to a descriptor, as text. NULL: no memory. */
static char *read_told(int fd)
{
    struct stat stat;
    char *text = fstat(fd, &stat) ? NULL : malloc((size_t) stat.st_size + 1);
    ssize_t n = text ? pread(fd, text, (size_t) stat.st_size, 0) : -1;

    if (text)
        text[n > 0 ? n : 0] = '\0';
    return text;
}

/* Lines of "PROCESS SIDE ROW WHY". */
static void take_apart(struct batch *batch)
{
    char *rest = NULL, *line;

    for (line = strtok_r(batch->text, "\n", &rest); line && batch->n < 2 * ROWS; line = strtok_r(NULL, "\n", &rest)) {
        struct side *side = &batch->sides[batch->n];
        const char *words[3];

        for (size_t i = 0; i < 3; i++) {
            char *end = line + strcspn(line, " ");

            words[i] = line;
            line = *end ? end + 1 : end;
            *end = '\0';
        }
        *side = (struct side){ words[2], line, strcmp(words[1], "value") == 0 };
        batch->pids[batch->n++] = (int32_t) atol(words[0]);
    }
}

/* By a signal that asks for an end, which it was passed, or by another. */
static int error_of(int ended)
{
    static const int asking[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
        if (WIFSIGNALED(ended) && WTERMSIG(ended) == asking[i])
            return -EINTR;
    return -ECHILD;
}

/* Run the sides of some rows, and read what they left. 0, or a negative errno; -ECHILD: the program ended badly, -EINTR:
 * by an interruption. */
static int run_batch(const struct profiling *p, const json_t *rows, size_t first, size_t n, struct batch *batch)
{
    char names[PATH_MAX], *command[] = { (char *) (uintptr_t) p->bench, (char[]){ "profile-child" }, names, NULL };
    struct amp_launch launch = { .command = command, .path = p->bench, .library = p->library, .folder = batch->folder,
                                 .output = memfd_create("ampersand-profile", MFD_CLOEXEC) };
    const struct amp_recorded_owners owners = { batch->pids, batch->are_found, 2 * ROWS };
    int ended = 0, err = launch.output < 0 ? -errno : write_names(batch->folder, rows, first, n, names);

    if (!err)
        err = amp_launch_run(&launch, &ended);
    amp_orphans_end();
    if (!err && ended != 0 && ended != 1 << 8) /* 1: other lessons are missing */
        err = error_of(ended);
    if (!err && !(batch->text = read_told(launch.output)))
        err = -ENOMEM;
    if (launch.output >= 0)
        close(launch.output);
    if (err)
        return err;
    take_apart(batch);
    err = amp_recorded_read_of(batch->folder, AMP_RECORDED_ALLOCATIONS, &owners, &batch->profile);
    return err ? err : amp_symbols_name(&batch->profile);
}

/* The number of a frame in the file, from 0 on. */
static json_t *number_of(struct profiling *p, const struct amp_line *line)
{
    json_t *frame = json_pack("[o, o, i]", amp_text_json(line->function),
                              amp_text_json(amp_store_file_name(line->file)), (int) line->line);
    char *text = json_dumps(frame, JSON_COMPACT);
    json_t *number = text ? json_incref(json_object_get(p->frame_numbers, text)) : NULL;

    if (text && !number) {
        number = json_integer((json_int_t) json_array_size(p->frames));
        json_object_set(p->frame_numbers, text, number);
        json_array_append(p->frames, frame);
    }
    json_decref(frame);
    free(text);
    return number;
}

/* Whether code is the lesson's: <lesson>.<layout>.so. */
static bool is_of(const struct amp_location *location, const char *lesson)
{
    const size_t n = strlen(lesson);
    const char *name = location->mapping ? amp_store_file_name(location->mapping->path) : "";

    return strncmp(name, lesson, n) == 0 && name[n] == '.';
}

/* From the line that allocates outwards, as far as the lesson's code goes. */
static json_t *stack_to_json(struct profiling *p, const struct amp_sample *sample, const char *lesson)
{
    static const struct amp_line nameless;
    json_t *stack = json_array();
    const size_t first = amp_show_allocating(sample);
    size_t end = sample->n - 1; /* the process */

    while (end > first + 1 && !is_of(sample->stack[end - 1], lesson))
        end--;
    for (size_t i = first; i < end; i++) {
        const struct amp_location *at = sample->stack[i];
        const size_t line = i == first ? amp_show_first_line(at) : 0;

        for (size_t k = line; k == line || k < at->n_lines; k++)
            json_array_append_new(stack, number_of(p, k < at->n_lines ? &at->lines[k] : &nameless));
    }
    return stack;
}

/* What side `number` of the batch allocated. */
static json_t *samples_to_json(struct profiling *p, const struct batch *batch, size_t number, const char *lesson)
{
    json_t *samples = json_array();

    for (size_t i = 0; i < batch->profile.n_samples; i++) {
        const struct amp_sample *sample = &batch->profile.samples[i];
        const struct amp_profile_counts *c = &sample->counts;

        if (sample->stack[sample->n - 1]->address == number && c->allocs > 0)
            json_array_append_new(samples, json_pack("{s:I, s:I, s:o}", "allocs", (json_int_t) c->allocs, "bytes",
                                                     (json_int_t) c->bytes, "stack", stack_to_json(p, sample, lesson)));
    }
    return samples;
}

/* The two sides of a row follow each other, the value side first. */
static int add_row(struct profiling *p, const struct batch *batch, size_t number, const json_t *row)
{
    const char *lesson = json_string_value(json_object_get(row, "lesson")), *why = "";
    json_t *object;

    for (size_t i = number; i < number + 2; i++)
        if (!*why && *batch->sides[i].why)
            why = batch->sides[i].why;
        else if (!*why && !batch->are_found[i])
            why = "what it counted could not be written";
    if (*why)
        object = json_pack("{s:s, s:o}", "row", batch->sides[number].row, "refused", amp_text_json(why));
    else
        object = json_pack("{s:s, s:i, s:o, s:o}", "row", batch->sides[number].row, "ops", OPS, "value",
                           samples_to_json(p, batch, number, lesson), "pointer",
                           samples_to_json(p, batch, number + 1, lesson));
    return json_array_append_new(p->rows, object) ? -ENOMEM : 0;
}

/* Some rows, from `first` on. 0, a negative errno, or 2 after it has said why. */
static int profile_some(struct profiling *p, const json_t *rows, size_t first, size_t n)
{
    struct batch *batch = calloc(1, sizeof *batch);
    int err = batch ? amp_scratch_make(batch->folder) : -ENOMEM;

    if (err) {
        free(batch);
        return err;
    }
    err = run_batch(p, rows, first, n, batch);
    if (!err && batch->n != 2 * n)
        err = -EPROTO;
    for (size_t i = 0; !err && i < n; i++)
        err = add_row(p, batch, 2 * i, json_array_get(rows, first + i));
    amp_scratch_remove(batch->folder);
    amp_profile_free(&batch->profile);
    free(batch->text);
    free(batch);
    return err;
}

/* NULL, or why nothing can be recorded, after what was found wrong was said; *interrupted: because of a signal. */
static const char *profile_all(struct profiling *p, const json_t *manifest_rows, bool *interrupted)
{
    static char why[256];
    json_t *rows = json_array();
    char path[PATH_MAX];
    size_t i, n;
    json_t *row;
    int err = 0;

    json_array_foreach((json_t *) (uintptr_t) manifest_rows, i, row)
        if (allocates(row))
            json_array_append(rows, row);
    n = json_array_size(rows);
    if (n > 0 && (amp_launch_find_beside("../ampersand-bench", p->bench, sizeof p->bench) ||
                  amp_launch_find_beside("libampersand_profile.so", p->library, sizeof p->library) ||
                  amp_program_check(p->bench, path, sizeof path)))
        err = -ENOTSUP;
    amp_orphans_adopt();
    setenv(AMP_PROFILE_OFF, "1", 1); /* until the side's operations begin */
    for (i = 0; !err && i < n; i += ROWS)
        err = profile_some(p, rows, i, n - i < ROWS ? n - i : ROWS);
    json_decref(rows);
    *interrupted = err == -EINTR;
    snprintf(why, sizeof why, "%s",
             err == -ENOTSUP ? "no library can be preloaded into ampersand-bench, or the build was without libdw-dev"
             : err == -ECHILD || err == -EPROTO ? "the process that runs the sides ended early"
             : err > 0                          ? "there is no folder for what is counted"
                                                : strerror(-err));
    return err ? why : NULL;
}

/* Once more if nothing could be recorded then. */
static bool is_profiled(const char *path)
{
    json_t *json = amp_results_look(path) ? NULL : json_load_file(path, 0, NULL);
    bool profiled = json && !json_string_value(json_object_get(json, "refused"));

    json_decref(json);
    return profiled;
}

static int profile_and_write(const char *run, const json_t *manifest, const char *path)
{
    struct profiling p = { .rows = json_array(), .frames = json_array(), .frame_numbers = json_object() };
    bool interrupted;
    const char *refused = profile_all(&p, json_object_get(manifest, "rows"), &interrupted);
    json_t *json;
    int err;

    if (interrupted)
        refused = "interrupted";
    if (refused) {
        amp_complain(0, "profile", MISSING ": %s", refused);
        json_array_clear(p.rows);
        json_array_clear(p.frames);
    }
    json = json_pack("{s:s, s:s?, s:o, s:o}", "schema", SCHEMA, "refused", refused, "frames", p.frames, "rows", p.rows);
    err = !json ? -ENOMEM : interrupted ? 0 : amp_results_write(path, json);
    json_decref(json);
    json_decref(p.frame_numbers);
    if (interrupted)
        return 130;
    return err ? amp_complain(2, run, "allocations.json: %s", strerror(-err)) : 0;
}

int amp_rows_profile(const char *run)
{
    char folder[PATH_MAX], path[PATH_MAX + 32];
    json_t *manifest;
    int status;

    if (!realpath(run, folder))
        return amp_complain(2, run, "%s", strerror(errno));
    snprintf(path, sizeof path, "%s/allocations.json", folder);
    if (is_profiled(path))
        return 0;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    manifest = json_load_file(path, 0, NULL);
    if (!json_is_array(json_object_get(manifest, "rows"))) {
        json_decref(manifest);
        return amp_complain(2, run, "manifest.json: missing, or no manifest of a run of pairs");
    }
    snprintf(path, sizeof path, "%s/allocations.json", folder);
    status = profile_and_write(run, manifest, path);
    json_decref(manifest);
    return status;
}
