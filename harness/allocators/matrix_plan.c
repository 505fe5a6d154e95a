/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_plan.h"

#include "harness/allocators/workload/list.h"
#include "harness/lesson/layout.h"
#include "harness/text/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <regex.h>
#include <stdio.h>

#define TRACES 64 /* of benchmarks/traces, at most */

static char words[PATH_MAX + 256];

/* The folder of the configurations: benchmarks/allocators, or that of the environment variable AMPERSAND_ALLOCATORS. */
static const char *shipped_dir(void)
{
    static char beside[PATH_MAX];
    const char *dir = getenv("AMPERSAND_ALLOCATORS");

    return dir && *dir ? dir : amp_layout_beside("benchmarks/allocators", beside, AMP_ALLOCATORS_DIR);
}

int amp_matrix_program(char out[PATH_MAX])
{
    static const char name[] = "ampersand-workload";
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof name);

    if (n < 0)
        return -errno;
    path[n] = '\0';
    strcpy(strrchr(path, '/') + 1, name);
    snprintf(out, PATH_MAX, "%s", path);
    return access(path, X_OK) ? -errno : 0;
}

static const struct amp_configuration *find(const struct amp_configurations *configurations, const char *name)
{
    for (size_t i = 0; i < configurations->n; i++)
        if (strcmp(configurations->list[i].name, name) == 0)
            return &configurations->list[i];
    return NULL;
}

/* The baseline, the baseline again, then the other configurations. If these name the baseline, it is not added
 * twice. */
static int choose(const struct amp_matrix_options *options, const struct amp_configurations *shipped,
                  struct amp_configurations *out, const char **what, const char **why)
{
    char again[256];
    int err;

    *what = "--baseline";
    err = amp_configurations_add(out, shipped, options->baseline, why);
    snprintf(again, sizeof again, "%s" AMP_AGAIN, err ? "" : out->list[0].name);
    if (!err)
        err = amp_configurations_repeat(out, 0, again);
    *what = err ? *what : "--config";
    for (size_t i = 0; i < options->n_configs && !err; i++)
        if (strcmp(options->configs[i], options->baseline) != 0)
            err = amp_configurations_add(out, shipped, options->configs[i], why);
    for (size_t i = 0; i < shipped->n && !err && options->n_configs == 0; i++)
        if (!find(out, shipped->list[i].name))
            err = amp_configurations_add(out, shipped, shipped->list[i].name, why);
    return err;
}

/* From malloc(), not from a collector. */
static bool allocates(const struct amp_pair *pair)
{
    return (pair->value.allocs_per_op > 0 && !pair->value.collected) ||
           (pair->pointer.allocs_per_op > 0 && !pair->pointer.collected);
}

/* The workload of a pair; it is made if it does not exist yet. */
static struct amp_matrix_workload *workload_of(struct amp_matrix *matrix, const struct amp_row *row)
{
    const struct amp_pair *pair = row->pair;
    struct amp_matrix_workload *workload;

    for (size_t i = 0; i < matrix->n_workloads; i++)
        if (matrix->workloads[i].pair && strcmp(matrix->workloads[i].pair->name, pair->name) == 0)
            return &matrix->workloads[i];
    workload = &matrix->workloads[matrix->n_workloads++];
    *workload = (struct amp_matrix_workload){ .pair = pair, .lesson = row->lesson };
    snprintf(workload->name, sizeof workload->name, AMP_WORKLOAD_PAIR "%s", pair->name);
    return workload;
}

/* One size in every octave: a crossover is needed only to about that precision. */
static void add_pair(struct amp_matrix *matrix, const struct amp_row *row)
{
    struct amp_matrix_workload *workload = workload_of(matrix, row);
    size_t size = row->size;

    if (workload->n_sizes < sizeof workload->sizes / sizeof workload->sizes[0] &&
        (workload->n_sizes == 0 || size >= 2 * workload->sizes[workload->n_sizes - 1]))
        workload->sizes[workload->n_sizes++] = size;
}

/* Keep the workloads whose names match, in their order. */
static int filter(struct amp_matrix *matrix, const char *expression, const char **why)
{
    regex_t regex;
    size_t kept = 0, matches = 0, n = 0;
    const char *names[256];
    int err = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);

    *why = words;
    if (err) {
        regerror(err, &regex, words, sizeof words);
        return -EINVAL;
    }
    for (size_t i = 0; i < matrix->n_workloads; i++) {
        if (n < 256)
            names[n++] = matrix->workloads[i].name;
        matches += regexec(&regex, matrix->workloads[i].name, 0, NULL, 0) == 0;
    }
    if (matches == 0) {
        snprintf(words, sizeof words, "'%s' matches no workload; the nearest is '%s'", expression,
                 amp_suggest(expression, names, n, SIZE_MAX));
        regfree(&regex);
        return -ENOENT;
    }
    for (size_t i = 0; i < matrix->n_workloads; i++)
        if (regexec(&regex, matrix->workloads[i].name, 0, NULL, 0) == 0)
            matrix->workloads[kept++] = matrix->workloads[i];
        else
            free(matrix->workloads[i].replay);
    regfree(&regex);
    matrix->n_workloads = kept;
    return 0;
}

/* "program_sqlite3" */
static int list_program(const struct amp_program *program, struct amp_matrix *out)
{
    const char *slash = strrchr(program->command[0], '/');

    out->workloads = calloc(1, sizeof *out->workloads);
    if (!out->workloads)
        return -ENOMEM;
    out->n_workloads = 1;
    out->workloads->program = program;
    snprintf(out->workloads->name, sizeof out->workloads->name, AMP_WORKLOAD_PROGRAM "%s",
             slash ? slash + 1 : program->command[0]);
    for (char *c = out->workloads->name; *c; c++)
        *c = isalnum((unsigned char) *c) ? (char) tolower((unsigned char) *c) : '_';
    return 0;
}

static int add_trace(struct amp_matrix *matrix, const char *path, const char **why)
{
    struct amp_matrix_workload *workload = &matrix->workloads[matrix->n_workloads];
    struct amp_replay *replay = calloc(1, sizeof *replay);
    int err = replay ? amp_replay_describe(path, replay, why) : -ENOMEM;

    for (size_t i = 0; i < matrix->n_workloads && !err; i++)
        if (strcmp(matrix->workloads[i].name, replay->name) == 0) {
            *why = "its name is that of another workload: give the file another";
            err = -EEXIST;
        }
    if (err) {
        snprintf(words, sizeof words, "%s: %s", path, *why);
        *why = words;
        free(replay);
        return err;
    }
    workload->replay = replay;
    workload->workload = &replay->workload;
    snprintf(workload->name, sizeof workload->name, "%s", replay->name);
    matrix->n_workloads++;
    return 0;
}

/* The traces of benchmarks/traces, and those of the command line. */
static int list_traces(const struct amp_matrix_options *options, struct amp_matrix *out, const char **why)
{
    char beside[PATH_MAX], pattern[PATH_MAX + 16];
    glob_t found = { 0 };
    int err = 0;

    snprintf(pattern, sizeof pattern, "%s/*.trace",
             amp_layout_beside("benchmarks/traces", beside, AMP_TRACES_DIR));
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && i < TRACES && !err; i++)
            err = add_trace(out, found.gl_pathv[i], why);
    globfree(&found);
    for (size_t i = 0; i < options->n_traces && !err; i++)
        err = add_trace(out, options->traces[i], why);
    return err;
}

static int list_workloads(const struct amp_registry *registry, const struct amp_matrix_options *options,
                          struct amp_matrix *out, const char **why)
{
    size_t n;
    const struct amp_workload *const *workloads = amp_workloads(&n);
    int err;

    out->workloads = calloc(n + TRACES + options->n_traces + registry->n, sizeof *out->workloads);
    if (!out->workloads)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct amp_matrix_workload *workload = &out->workloads[out->n_workloads++];

        workload->workload = workloads[i];
        snprintf(workload->name, sizeof workload->name, "%s", workloads[i]->name);
    }
    err = list_traces(options, out, why);
    if (err)
        return err;
    for (size_t i = 0; i < registry->n; i++)
        if (allocates(registry->rows[i].pair))
            add_pair(out, &registry->rows[i]);
    return options->workload ? filter(out, options->workload, why) : 0;
}

int amp_matrix_make(const struct amp_registry *registry, const struct amp_matrix_options *options,
                    struct amp_matrix *out, const char **what, const char **why)
{
    struct amp_configurations shipped = { .n = 0 };
    int err;

    *what = shipped_dir();
    *why = strerror(ENOMEM);
    *out = (struct amp_matrix){ .n_workloads = 0 };
    err = amp_configurations_read_dir(*what, &shipped, why);
    if (!err)
        err = choose(options, &shipped, &out->configurations, what, why);
    if (!err) {
        *what = "--workload";
        err = options->program.n_command > 0 ? list_program(&options->program, out)
                                             : list_workloads(registry, options, out, why);
    }
    amp_configurations_free(&shipped);
    if (err)
        amp_matrix_free(out);
    return err;
}

void amp_matrix_free(struct amp_matrix *matrix)
{
    amp_configurations_free(&matrix->configurations);
    for (size_t i = 0; i < matrix->n_workloads; i++)
        free(matrix->workloads[i].replay);
    free(matrix->workloads);
    *matrix = (struct amp_matrix){ .n_workloads = 0 };
}
