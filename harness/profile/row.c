/* SPDX-License-Identifier: MIT */
#include "harness/profile/row.h"

#include "harness/profile/launch/launch.h"
#include "harness/profile/launch/orphans.h"
#include "harness/profile/samples/difference.h"
#include "harness/profile/samples/proto.h"
#include "harness/profile/samples/store.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALLOCATING_OPS 100 /* AMP_PROFILED_OPS of harness/bench/alone */
#define SHOWN_OPS 1000     /* of which the difference's file says what they take: whole numbers are small ones */

static const struct amp_value types[] = {
    { "time", "nanoseconds" }, { "alloc_space", "bytes" }, { "alloc_objects", "count" }, { "copied", "bytes" }
};
enum { TIME, SPACE, OBJECTS, COPIED, VALUES };

struct side {
    const char *name;
    struct amp_profile allocations, ticks;
    uint64_t ops, copied_b; /* operations in `ticks`; bytes that one copies, as its lesson declares */
};

struct row {
    const char *name, *bench;
    const struct amp_run_options *options;
    struct side sides[2];
};

/* A file's name with something before its ending. The caller frees it; NULL: no memory. */
static char *name_with(const char *file, const char *more)
{
    const char *last = strrchr(file, '/'), *end = strchr(last ? last + 1 : file, '.');
    char *name;

    end = end ? end : file + strlen(file);
    return asprintf(&name, "%.*s-%s%s", (int) (end - file), file, more, end) < 0 ? NULL : name;
}

static void find_allocations(struct row *row, struct side *side, char *task, int *status)
{
    struct amp_run_options own = *row->options;
    char *title = NULL, *output = NULL;

    if (asprintf(&title, "%s, %s, %d operations", row->name, side->name, ALLOCATING_OPS) >= 0 &&
        (!own.output || (output = name_with(own.output, side->name)) != NULL)) {
        own.command = (char *[]){ (char *) (uintptr_t) row->bench, "profile-child", task, NULL };
        own.title = title;
        own.output = output;
        *status = amp_run_program(&own, &side->allocations);
    } else {
        *status = amp_complain(2, "profile", "there is no memory");
    }
    free(title);
    free(output);
}

/* Read what the side's process told: how many operations it did, and what one copies. */
static int read_told(struct side *side, int fd)
{
    char text[64];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return sscanf(text, "%" SCNu64 " %" SCNu64, &side->ops, &side->copied_b) == 2 && side->ops > 0 ? 0 : -EPROTO;
}

static void find_time(struct row *row, struct side *side, char *task, int *status)
{
    struct amp_run_options own = *row->options;

    own.command = (char *[]){ (char *) (uintptr_t) row->bench, "profile-child", task, NULL };
    own.title = row->name;
    own.output = NULL;
    own.is_cpu = own.is_silent = true;
    own.told = memfd_create("ampersand-profile", MFD_CLOEXEC);
    *status = own.told < 0 ? amp_complain(2, row->name, "%s", strerror(errno)) : amp_run_program(&own, &side->ticks);
    if (!*status && read_told(side, own.told))
        *status = amp_complain(2, row->name, "the %s side's process did not tell what it did", side->name);
    if (own.told >= 0)
        close(own.told);
}

static int run_side(struct row *row, struct side *side, void (*find)(struct row *, struct side *, char *, int *))
{
    char *task;
    int status = 2;

    if (asprintf(&task, "%s/%s", side->name, row->name) < 0)
        return amp_complain(2, "profile", "there is no memory");
    find(row, side, task, &status);
    amp_orphans_end();
    free(task);
    return status;
}

static int add_side(struct amp_profile *whole, const struct side *side, bool is_base)
{
    const struct amp_part time = { &side->ticks, is_base, (double) SHOWN_OPS / (double) side->ops, "run_recorded", 1,
                                   { 1 }, { TIME } };
    const struct amp_part space = { &side->allocations, is_base, (double) SHOWN_OPS / ALLOCATING_OPS, "run_recorded", 2,
                                    { 0, 1 }, { OBJECTS, SPACE } };
    int err = amp_difference_add(whole, &time);

    err = err ? err : amp_difference_add(whole, &space);
    if (!err && side->copied_b > 0)
        err = amp_difference_note(whole, is_base, COPIED, (int64_t) (side->copied_b * SHOWN_OPS), "copied");
    return err == -ENOENT ? 0 : err;
}

static int save_as(const struct row *row, const struct amp_profile *whole, const char *more)
{
    char *file = name_with(row->options->output, more);
    int err = file ? amp_proto_save(whole, file, 0, row->name) : -ENOMEM;

    if (err)
        amp_complain(2, file ? file : "profile", "cannot be written: %s", strerror(-err));
    free(file);
    return err ? 2 : 0;
}

/* What the pointer side takes more; and both sides beside each other. */
static int save_difference(const struct row *row)
{
    struct amp_profile whole;
    int err = amp_store_begin(&whole), status = 2;

    for (int i = 1; !err && i >= 0; i--) /* the pointer side first: its code keeps its addresses */
        err = add_side(&whole, &row->sides[i], i == 0);
    if (!err)
        err = amp_store_finish(&whole);
    if (!err) {
        whole.types = types;
        whole.n_types = VALUES;
        whole.default_type = types[TIME].type;
        whole.period_type = types[TIME];
        whole.period = 1;
        status = save_as(row, &whole, "diff");
        err = amp_difference_apart(&whole, "value side", "pointer side");
    }
    if (err)
        amp_complain(2, row->name, "its difference cannot be made: %s", strerror(-err));
    else if (!status)
        status = save_as(row, &whole, "sides");
    amp_profile_free(&whole);
    return err ? 2 : status;
}

/* What an operation takes: time in ns, bytes, allocations, bytes copied. */
static void find_cost(const struct side *side, double cost[VALUES])
{
    cost[TIME] = (double) side->ticks.total.bytes / (double) side->ops;
    cost[SPACE] = (double) side->allocations.total.bytes / ALLOCATING_OPS;
    cost[OBJECTS] = (double) side->allocations.total.allocs / ALLOCATING_OPS;
    cost[COPIED] = (double) side->copied_b;
}

static json_t *cost_to_json(const double cost[VALUES])
{
    return json_pack("{s:f, s:f, s:f, s:f}", "cpu_ns_per_op", cost[TIME], "bytes_per_op", cost[SPACE], "allocs_per_op",
                     cost[OBJECTS], "copied_b_per_op", cost[COPIED]);
}

static int show_difference(const struct row *row)
{
    double value[VALUES], pointer[VALUES];
    int failed = 0;

    find_cost(&row->sides[0], value);
    find_cost(&row->sides[1], pointer);
    if (row->options->is_json) {
        json_t *object = json_pack("{s:s, s:s, s:o, s:o}", "schema", "ampersand/profile-difference/1", "row", row->name,
                                   "value", cost_to_json(value), "pointer", cost_to_json(pointer));

        failed = json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(object);
    } else {
        printf("%s, pointer minus value, an operation: %+.4g ns, %+.10g B in %+.10g allocations, %+.10g B copied\n",
               row->name, pointer[TIME] - value[TIME], pointer[SPACE] - value[SPACE], pointer[OBJECTS] - value[OBJECTS],
               pointer[COPIED] - value[COPIED]);
    }
    failed |= fflush(stdout) || ferror(stdout);
    return failed ? amp_complain(2, "stdout", "cannot be written") : 0;
}

int amp_row_profile(const char *name, const struct amp_run_options *options)
{
    char bench[PATH_MAX];
    struct row row = { name, bench, options, { { .name = "value" }, { .name = "pointer" } } };
    int status = amp_launch_find_beside("../ampersand-bench", bench, sizeof bench);

    amp_orphans_adopt();
    for (size_t i = 0; !status && i < 2; i++)
        status = run_side(&row, &row.sides[i], find_allocations);
    for (size_t i = 0; !status && i < 2; i++)
        status = run_side(&row, &row.sides[i], find_time);
    if (!status)
        status = show_difference(&row);
    if (!status && options->output)
        status = save_difference(&row);
    for (size_t i = 0; i < 2; i++) {
        amp_profile_free(&row.sides[i].allocations);
        amp_profile_free(&row.sides[i].ticks);
    }
    return status;
}
