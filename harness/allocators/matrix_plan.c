/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_plan.h"

#include "harness/allocators/workload/list.h"
#include "harness/lesson/layout.h"
#include "harness/measure/rounds.h"
#include "harness/text/suggest.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>

static char words[PATH_MAX + 256];

const char *amp_matrix_dir(void)
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

/* The baseline, the baseline again, then what was asked for, which may name the baseline, too: once is enough. */
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

/* The workload of a pair, made if it is not there. */
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

/* At every octave of its sizes one: where two sides cross is asked to about that precision. */
static void add_pair(struct amp_matrix *matrix, const struct amp_row *row)
{
    struct amp_matrix_workload *workload = workload_of(matrix, row);
    size_t size = row->size;

    if (workload->n_sizes < sizeof workload->sizes / sizeof workload->sizes[0] &&
        (workload->n_sizes == 0 || size >= 2 * workload->sizes[workload->n_sizes - 1]))
        workload->sizes[workload->n_sizes++] = size;
}

/* Workloads whose names match stay, in their order. */
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

    *what = amp_matrix_dir();
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

const char *amp_cell_kind_name(enum amp_cell_kind kind)
{
    static const char *const names[] = {
        [AMP_CELL_PROBE] = "probe", [AMP_CELL_LAUNCH] = "workload", [AMP_CELL_TIMELINE] = "timeline"
    };

    return names[kind];
}

/* What is drawn for a cell hangs on what it is: resumed runs draw the same again, and the workload's seed does not hang
 * on the configuration. */
static void draw(const struct amp_matrix *matrix, const struct amp_matrix_options *options, struct amp_cell *cell)
{
    const char *workload = cell->kind == AMP_CELL_LAUNCH ? matrix->workloads[cell->workload].name : "timeline";
    char name[128];
    uint64_t random;

    snprintf(name, sizeof name, "%s/%u", workload, cell->launch);
    random = amp_random_seed(options->seed, name);
    cell->seed = amp_random_next(&random) >> 11;
    random = amp_random_seed(random, matrix->configurations.list[cell->configuration].name);
    cell->environment_padding_b = (unsigned) (amp_random_next(&random) % 4096);
}

static void shuffle(size_t *list, size_t n, uint64_t *random) /* Fisher and Yates */
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t) (amp_random_next(random) % i), other = list[i - 1];

        list[i - 1] = list[j];
        list[j] = other;
    }
}

struct order {
    size_t *configurations, *workloads;
    uint64_t random;
};

static void add(const struct amp_matrix *matrix, const struct amp_matrix_options *options, struct amp_cells *cells,
                struct amp_cell cell)
{
    draw(matrix, options, &cell);
    cells->list[cells->n++] = cell;
}

static void add_block(const struct amp_matrix *matrix, const struct amp_matrix_options *options, struct order *order,
                      unsigned launch, struct amp_cells *cells)
{
    shuffle(order->workloads, matrix->n_workloads, &order->random);
    for (size_t w = 0; w < matrix->n_workloads; w++) {
        shuffle(order->configurations, matrix->configurations.n, &order->random);
        for (size_t c = 0; c < matrix->configurations.n; c++)
            add(matrix, options, cells,
                (struct amp_cell){ .kind = AMP_CELL_LAUNCH,
                                   .configuration = order->configurations[c],
                                   .workload = order->workloads[w],
                                   .launch = launch });
    }
}

int amp_cells_make(const struct amp_matrix *matrix, const struct amp_matrix_options *options, struct amp_cells *out)
{
    size_t configurations = matrix->configurations.n;
    size_t n = configurations * (1 + matrix->n_workloads * options->launches + options->timeline_launches);
    struct order order = { .configurations = calloc(configurations + 1, sizeof(size_t)),
                           .workloads = calloc(matrix->n_workloads + 1, sizeof(size_t)),
                           .random = options->seed };

    *out = (struct amp_cells){ .list = calloc(n + 1, sizeof *out->list) };
    if (!out->list || !order.configurations || !order.workloads) {
        free(out->list);
        free(order.configurations);
        free(order.workloads);
        return -ENOMEM;
    }
    for (size_t i = 0; i < configurations; i++)
        order.configurations[i] = i;
    for (size_t i = 0; i < matrix->n_workloads; i++)
        order.workloads[i] = i;
    for (size_t i = 0; i < configurations; i++)
        add(matrix, options, out, (struct amp_cell){ .kind = AMP_CELL_PROBE, .configuration = i });
    for (unsigned launch = 0; launch < options->launches; launch++)
        add_block(matrix, options, &order, launch, out);
    for (unsigned launch = 0; launch < options->timeline_launches; launch++)
        for (size_t i = 0; i < configurations; i++)
            add(matrix, options, out,
                (struct amp_cell){ .kind = AMP_CELL_TIMELINE, .configuration = i, .launch = launch });
    free(order.configurations);
    free(order.workloads);
    return 0;
}

int amp_cell_path(const struct amp_matrix *matrix, const struct amp_cell *cell, const char *dir, char out[PATH_MAX])
{
    const char *configuration = matrix->configurations.list[cell->configuration].name;
    int n = 0;

    switch (cell->kind) {
    case AMP_CELL_PROBE:
        n = snprintf(out, PATH_MAX, "%s/provenance/%s.json", dir, configuration);
        break;
    case AMP_CELL_LAUNCH:
        n = snprintf(out, PATH_MAX, "%s/launches/%s/%s/%03u.json", dir, configuration,
                     matrix->workloads[cell->workload].name, cell->launch);
        break;
    case AMP_CELL_TIMELINE:
        n = snprintf(out, PATH_MAX, "%s/timelines/%s/%03u.json", dir, configuration, cell->launch);
        break;
    }
    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}
