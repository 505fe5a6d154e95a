/* SPDX-License-Identifier: MIT
 *
 * A pair with a heap side under another allocator: all of its sizes in one process, paired rounds as in child_paired.c,
 * over a few layouts that are drawn anew in every launch. Fewer than the whole design has: what is asked is where value
 * and pointer cross, and how far an allocator moves that place. */
#include "harness/allocators/workload/child.h"
#include "harness/lesson/modules.h"
#include "harness/measure/blocks.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <stdio.h>

enum { VALUE, POINTER, LAYOUTS = 4, ROUNDS = 12 };
#define EPOCH_NS 20000

struct row {
    const struct amp_row *of;
    const struct amp_modules *modules;
    size_t size;
    void *fixtures[2];
    struct amp_blocks blocks; /* one of each layout; their memory: */
    uint64_t ns[2][(LAYOUTS + 1) * ROUNDS], sensor_ns[LAYOUTS];
    size_t shifts_b[LAYOUTS];
    unsigned attempts[LAYOUTS];
    unsigned *layouts;
    size_t n_layouts, n_rounds; /* of all layouts */
};

struct measurement {
    struct amp_registry registry;
    struct amp_modules modules;
    unsigned layouts[LAYOUTS], n_layouts;
    struct amp_clock_facts clock;
    uint64_t random;
    const struct amp_workload_task *task;
    const char *heap_side;
    struct amp_in_force in_force;
    json_t *rows;
    struct amp_memory start, end;
    struct amp_workload_usage used;
    double seconds;
};

#define ROW(member) AMP_FIELD(struct row, member, .least = 1)
#define PER_LAYOUT(member, ...) AMP_LIST(struct row, member, n_layouts, __VA_ARGS__)
#define PER_ROUND(name, member) AMP_LIST_AS(name, struct row, member, n_rounds)
const struct amp_record amp_workload_row_record = {
    AMP_FIELDS(ROW(size), ROW(blocks.ops), AMP_FIELD_AS("rounds_per_block", struct row, blocks.rounds, .least = 1),
               PER_LAYOUT(layouts), PER_LAYOUT(blocks.sensor_ns, .least = 1), PER_ROUND("value_ns", blocks.ns[VALUE]),
               PER_ROUND("pointer_ns", blocks.ns[POINTER])),
};

#define FIELD(member) AMP_FIELD(struct measurement, member)
#define AS(name, member) AMP_FIELD_AS(name, struct measurement, member)
const struct amp_record amp_workload_pair_record = {
    AMP_FIELDS(AMP_BEHIND("", struct measurement, task, &amp_workload_identity_record), FIELD(heap_side),
               AMP_INNER("in_force", struct measurement, in_force, &amp_in_force_record),
               AMP_GROUP("clock", AMP_OF(FIELD(clock.cost_ns), FIELD(clock.resolution_ns))),
               FIELD(rows), AMP_GROUP("memory", AMP_OF(AS("start_rss_b", start.rss_b), FIELD(end.peak_rss_b),
                                                       AS("retained_rss_b", end.rss_b))),
               AMP_INNER("", struct measurement, used, &amp_workload_usage_record), FIELD(seconds)),
    .schema = "ampersand/workload-pair/1",
};

/* Draw the layouts, each at most once, and load them. */
static int load(struct measurement *m, const char *pair, const char **why)
{
    const struct amp_row *first = NULL;
    unsigned order[AMP_LAYOUTS_MAX], n = 0;
    int err = amp_layout_register(&m->registry, m->task->lesson, 0, why);

    for (size_t i = 0; i < m->registry.n && !first; i++)
        if (strcmp(m->registry.rows[i].pair->name, pair) == 0)
            first = &m->registry.rows[i];
    if (!err && !first) {
        *why = "there is no such pair";
        return -ENOENT;
    }
    if (!err)
        err = amp_layout_count(first->lesson, &n, why);
    if (err)
        return err;
    m->heap_side = first->pair->pointer.allocs_per_op > 0 ? "pointer" : "value";
    for (unsigned k = 0; k < n; k++)
        order[k] = k;
    amp_random_shuffle(order, n, sizeof *order, &m->random);
    m->n_layouts = n < LAYOUTS ? n : LAYOUTS;
    memcpy(m->layouts, order, m->n_layouts * sizeof *order);
    return amp_modules_load(first, m->layouts, m->n_layouts, &m->modules, why);
}

static void kernels_of(const void *context, size_t block, struct amp_kernel out[2])
{
    const struct row *row = context;

    amp_modules_kernels(row->modules, row->of, (unsigned) block, block, row->fixtures, out);
}

static struct amp_blocks blocks_of(const struct measurement *m, struct row *row)
{
    return (struct amp_blocks){ .n = m->n_layouts,
                                .quiet_ns = m->task->quiet_ns,
                                .cost_ns = m->clock.cost_ns,
                                .others = row->of->pair->threads,
                                .kernels = kernels_of,
                                .context = row,
                                .ns = { row->ns[VALUE], row->ns[POINTER] },
                                .sensor_ns = row->sensor_ns,
                                .shifts_b = row->shifts_b,
                                .attempts = row->attempts };
}

static int measure_row(struct measurement *m, const char *pair, struct row *row)
{
    struct amp_agreement agreement;
    struct amp_kernel sides[2];
    char name[256];
    int status = 0;

    snprintf(name, sizeof name, "%s/size=%zu", pair, row->size);
    row->of = amp_registry_find(&m->registry, name);
    if (!row->of)
        return amp_complain(2, pair, "it has no row of one of the sizes asked for");
    row->blocks = blocks_of(m, row);
    amp_pair_set_up(row->of->pair, row->size, amp_random_next(&m->random), row->fixtures);
    kernels_of(row, 0, sides);
    if (amp_pair_agree_on(row->of->pair, row->fixtures[VALUE], row->fixtures[POINTER], amp_clock_monotonic, &agreement))
        status = amp_complain(AMP_EXIT_DISAGREE, pair, "the sides disagree");
    else if (amp_rounds_calibrate(amp_clock_monotonic, sides, EPOCH_NS, &row->blocks.ops))
        status = amp_complain(2, pair, "no number of operations fills an epoch");
    row->blocks.warmup_ops = row->blocks.ops / 8 + 1;
    row->blocks.rounds = row->blocks.ops == 1 ? 2 : ROUNDS; /* fewer where one operation takes long */
    if (!status && amp_blocks_run(&row->blocks, amp_clock_monotonic, &m->random))
        status = amp_complain(AMP_EXIT_DISAGREE, pair, "the sides disagree");
    amp_side_tear_down(&row->of->pair->pointer, row->fixtures[POINTER]);
    amp_side_tear_down(&row->of->pair->value, row->fixtures[VALUE]);
    return status;
}

static int measure_rows(struct measurement *m, const char *pair)
{
    int status = 0;

    for (size_t i = 0; i < m->task->n_sizes && !status; i++) {
        static struct row row;

        row = (struct row){ .size = m->task->sizes[i], .modules = &m->modules, .layouts = m->layouts,
                            .n_layouts = m->n_layouts };
        status = measure_row(m, pair, &row);
        row.n_rounds = m->n_layouts * row.blocks.rounds;
        if (!status)
            json_array_append_new(m->rows, amp_record_write(&amp_workload_row_record, &row));
    }
    return status;
}

int amp_workload_pair(const struct amp_workload_task *task)
{
    static struct measurement m;
    const char *why = "", *pair = task->workload + strlen(AMP_WORKLOAD_PAIR);
    uint64_t begin_ns = amp_clock_monotonic();
    int status;

    m.task = task;
    m.random = task->seed;
    if (!task->lesson)
        return amp_complain(2, task->workload, "its task names no lesson");
    if (strncmp(task->workload, AMP_WORKLOAD_PAIR, strlen(AMP_WORKLOAD_PAIR)) != 0 || load(&m, pair, &why))
        return amp_complain(2, task->workload, "%s", why);
    if (amp_clock_measure(amp_clock_monotonic, &m.clock))
        return amp_complain(2, "clock", "it goes backwards or steps by more than a microsecond");
    amp_memory_of(0, &m.start);
    m.used = amp_workload_usage(&m.used);
    m.rows = json_array();
    status = measure_rows(&m, pair);
    if (status) {
        json_decref(m.rows);
        return status;
    }
    m.used = amp_workload_usage(&m.used);
    amp_memory_of(0, &m.end);
    m.in_force = amp_workload_in_force();
    m.seconds = (double) (amp_clock_monotonic() - begin_ns) / 1e9;
    return amp_record_save(&amp_workload_pair_record, &m, task->file);
}
