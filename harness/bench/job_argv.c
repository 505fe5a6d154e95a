/* SPDX-License-Identifier: MIT */
#include "harness/bench/job_argv.h"

#include "harness/bench/child.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* Of each side; libbenchmark takes about twice as long, since it first finds out how many iterations that is. */
#define SOLO_MIN_TIME_S "0.01"

/* Add a word, given as to printf(). A word for which there is no memory ends the command early: amp_job_argv_make
 * counts them. */
__attribute__((format(printf, 2, 3))) static void add(struct amp_job_argv *command, const char *format, ...)
{
    size_t n = 0;
    va_list arguments;

    while (command->words[n])
        n++;
    va_start(arguments, format);
    if (vasprintf(&command->words[n], format, arguments) < 0)
        command->words[n] = NULL;
    va_end(arguments);
    command->argv[n] = command->words[n];
}

static size_t add_solo(const char *lesson, const char *row, const struct amp_item *item, const char *file,
                       struct amp_job_argv *out)
{
    add(out, "--layout");
    add(out, "%d", item->layout);
    add(out, "--lesson");
    add(out, "%s", lesson);
    add(out, "--benchmark_filter=^%s/side=", row);
    add(out, "--benchmark_out=%s.tmp", file);
    add(out, "--benchmark_out_format=json");
    add(out, "--benchmark_min_time=" SOLO_MIN_TIME_S);
    return 8;
}

static size_t add_task(const char *lesson, const char *row, const struct amp_item *item,
                       const struct amp_launch_options *options, const char *file, int cpu, struct amp_job_argv *out)
{
    const struct amp_task of = {
        .kind = amp_kind_name(item->kind), .lesson = lesson, .name = row, .file = file, .launch = item->launch,
        .configuration = AMP_CONFIGURATION, .seed = item->seed, .cpu = cpu, .stack_offset_b = item->stack_offset_b,
        .environment_padding_b = item->environment_padding_b, .epoch_ns = options->epoch_ns,
        .quiet_ns = options->quiet_ns, .rounds_per_block = options->rounds_per_block, .layout = item->layout
    };
    json_t *task = amp_record_write(&amp_task_record, &of);
    char *text = task ? json_dumps(task, JSON_COMPACT) : NULL;

    add(out, "child");
    if (text)
        add(out, "%s", text);
    free(text);
    json_decref(task);
    return 2;
}

int amp_job_argv_make(const struct amp_row *row, const struct amp_item *item, const struct amp_launch_options *options,
                     const char *file, int cpu, struct amp_job_argv **out)
{
    struct amp_job_argv *command = calloc(1, sizeof *command);
    size_t wanted = 1, n = 0;
    char name[256];

    if (!command)
        return -ENOMEM;
    amp_row_name(row, name, sizeof name);
    add(command, "%s", options->command[0]);
    wanted += item->kind == AMP_KIND_SOLO ? add_solo(row->lesson, name, item, file, command)
                                          : add_task(row->lesson, name, item, options, file, cpu, command);
    while (command->words[n])
        n++;
    if (n != wanted) {
        amp_job_argv_free(command);
        return -ENOMEM;
    }
    *out = command;
    return 0;
}

void amp_job_argv_free(struct amp_job_argv *command)
{
    for (size_t i = 0; command && command->words[i]; i++)
        free(command->words[i]);
    free(command);
}
