/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_plan.h"

#include "harness/allocators/workload/list.h"
#include "harness/lesson/layout.h"
#include "harness/text/suggest.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>

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

static bool allocates(const struct amp_pair *pair)
{
    return pair->value.allocs_per_op > 0 || pair->pointer.allocs_per_op > 0;
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
    size_t kept = 0;
    int err = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);

    *why = words;
    if (err) {
        regerror(err, &regex, words, sizeof words);
        return -EINVAL;
    }
    for (size_t i = 0; i < matrix->n_workloads; i++)
        if (regexec(&regex, matrix->workloads[i].name, 0, NULL, 0) == 0)
            matrix->workloads[kept++] = matrix->workloads[i];
    regfree(&regex);
    if (kept == 0) {
        const char *names[256];
        size_t n = matrix->n_workloads < 256 ? matrix->n_workloads : 256;

        for (size_t i = 0; i < n; i++)
            names[i] = matrix->workloads[i].name;
        snprintf(words, sizeof words, "'%s' matches no workload; the nearest is '%s'", expression,
                 amp_suggest(expression, names, n, SIZE_MAX));
        return -ENOENT;
    }
    matrix->n_workloads = kept;
    return 0;
}

static int list_workloads(const struct amp_registry *registry, const struct amp_matrix_options *options,
                          struct amp_matrix *out, const char **why)
{
    size_t n;
    const struct amp_workload *const *workloads = amp_workloads(&n);

    out->workloads = calloc(n + registry->n, sizeof *out->workloads);
    if (!out->workloads)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct amp_matrix_workload *workload = &out->workloads[out->n_workloads++];

        workload->workload = workloads[i];
        snprintf(workload->name, sizeof workload->name, "%s", workloads[i]->name);
    }
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
        err = list_workloads(registry, options, out, why);
    }
    amp_configurations_free(&shipped);
    if (err)
        amp_matrix_free(out);
    return err;
}

void amp_matrix_free(struct amp_matrix *matrix)
{
    amp_configurations_free(&matrix->configurations);
    free(matrix->workloads);
    *matrix = (struct amp_matrix){ .n_workloads = 0 };
}
