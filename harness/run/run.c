/* SPDX-License-Identifier: MIT
 *
 * Do a whole run: open its folder, make the jobs, let loop.c run them, and end the journal. */
#include "harness/run/loop.h"

#include "harness/files/results.h"
#include "harness/files/run_folder.h"
#include "harness/measure/sensor.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct begun {
    struct amp_loop loop;
    const struct amp_run_request *request;
    json_t *manifest;
};

static const struct amp_manifest_part of_every_run[] = {
    { "machine", "cpu", "the CPU" },
    { "machine", "arch", "the architecture" },
    { "machine", "cpus", "the number of CPUs" },
    { "machine", "cpus_allowed", "how many CPUs this process may use" },
    { "machine", "kernel", "the kernel" },
    { "build", NULL, "the build" },
    { 0 },
};

static json_t *make_manifest(const struct begun *begun)
{
    const char *why = strerror(ENOMEM);
    json_t *manifest = begun->loop.verb->manifest(begun->loop.run, &why);

    if (!manifest)
        amp_complain(AMP_RUN_UNUSABLE, "manifest", "%s", why);
    return manifest;
}

static int begin_new(struct begun *begun)
{
    const struct amp_run_verb *verb = begun->loop.verb;
    int status = verb->choose(begun->loop.run);

    if (status)
        return status;
    *begun->request->quiet_ns = amp_sensor_calibrate(amp_clock_monotonic, AMP_CALIBRATE_NS);
    begun->manifest = make_manifest(begun);
    if (!begun->manifest)
        return AMP_RUN_UNUSABLE;
    return amp_run_folder_new(begun->loop.dir, verb->need_b(begun->loop.run), begun->manifest, &begun->loop.journal);
}

static const char *differ(const struct amp_manifest_part *parts, const json_t *old, const json_t *now)
{
    for (; parts->part; parts++) {
        const json_t *a = json_object_get(old, parts->part), *b = json_object_get(now, parts->part);

        if (parts->key) {
            a = json_object_get(a, parts->key);
            b = json_object_get(b, parts->key);
        }
        if ((a || (b && !parts->key)) && !json_equal(a, b)) /* older runs lack some facts; these cannot differ */
            return parts->words;
    }
    return NULL;
}

static int begin_old(struct begun *begun)
{
    const struct amp_run_verb *verb = begun->loop.verb;
    const char *why = "", *differs, *dir = begun->loop.dir;
    json_t *now;
    int status = amp_run_folder_look(dir);

    if (status)
        return status;
    begun->manifest = amp_run_folder_manifest(dir, verb->schema, &why);
    if (!begun->manifest || verb->restore(begun->loop.run, begun->manifest, &why))
        return amp_complain(AMP_RUN_UNUSABLE, dir, "manifest.json: %s", why);
    status = verb->choose(begun->loop.run);
    if (status)
        return status;
    now = make_manifest(begun);
    if (!now)
        return AMP_RUN_UNUSABLE;
    differs = differ(of_every_run, begun->manifest, now);
    differs = differs ? differs : differ(verb->parts, begun->manifest, now);
    json_decref(now);
    if (differs)
        return amp_complain(AMP_RUN_UNUSABLE, dir, "%s: not the same as when the run began; start a new one with --out",
                            differs);
    differs = verb->replaced ? verb->replaced(begun->loop.run) : NULL;
    if (differs)
        return amp_complain(AMP_RUN_UNUSABLE, dir, "%s was replaced since the run began; start a new one with --out",
                            differs);
    return amp_run_folder_old(dir, &begun->loop.journal);
}

static int make_jobs(struct begun *begun, int cpu)
{
    struct amp_jobs *jobs = &begun->loop.jobs;
    int status = begun->loop.verb->make(begun->loop.run, cpu, jobs);

    for (size_t i = 0; i < jobs->n; i++)
        jobs->no_memory = jobs->no_memory || !jobs->list[i].name || !jobs->list[i].file || !jobs->list[i].fields;
    if (!status && jobs->no_memory)
        status = amp_complain(AMP_RUN_UNUSABLE, "plan", "%s", strerror(ENOMEM));
    if (!status)
        amp_loop_begin(&begun->loop);
    return status;
}

static void warn_of_aslr(const json_t *manifest, const struct amp_placement *placement)
{
    const json_t *aslr = json_object_get(json_object_get(manifest, "machine"), "aslr");

    if (placement->aslr_was_off)
        amp_complain(0, "ASLR", "off for this process; switched on again for its children");
    if (json_is_integer(aslr) && json_integer_value(aslr) == 0)
        amp_complain(0, "ASLR", "switched off on this machine (kernel.randomize_va_space = 0): launches differ less "
                                "from each other than they should");
}

static int note_begin(struct begun *begun)
{
    const struct amp_jobs *jobs = &begun->loop.jobs;
    const struct amp_progress *progress = &begun->loop.progress;
    const char *event = jobs->event ? jobs->event : begun->request->resume ? "resume" : "plan";
    json_t *fields = jobs->fields ? json_copy(jobs->fields) : json_object();
    char path[PATH_MAX];
    uint32_t crc32;

    snprintf(path, sizeof path, "%s/manifest.json", begun->loop.dir);
    if (!fields)
        return -ENOMEM;
    json_object_set_new(fields, "children", json_integer((json_int_t) (progress->total - progress->done)));
    if (amp_results_crc32(path, &crc32) == 0)
        json_object_set_new(fields, "manifest_crc32", json_integer(crc32));
    return amp_journal_event(begun->loop.journal, event, fields);
}

static int end(struct amp_loop *loop, int status)
{
    const char *words = status == AMP_RUN_DONE ? "complete" : status == AMP_RUN_FAILED ? "failed" : "interrupted";
    int err = status == AMP_RUN_UNUSABLE
                  ? 0
                  : amp_journal_event(loop->journal, "end", json_pack("{s:s}", "status", words));
    char kept[96];

    if (err)
        return amp_loop_give_up(loop, err);
    amp_loop_kept(loop, kept, sizeof kept);
    if (status == AMP_RUN_INTERRUPTED)
        amp_progress_say(&loop->progress, loop->dir, "interrupted: %s, go on with --resume %s", kept, loop->dir);
    else
        amp_progress_end(&loop->progress);
    return status;
}

static int run_begun(struct begun *begun)
{
    const struct amp_run_request *request = begun->request;
    struct amp_placement placement;
    int err = amp_process_prepare(&placement), status;

    if (err)
        return amp_complain(AMP_RUN_UNUSABLE, "children", "they cannot be started: %s", strerror(-err));
    status = make_jobs(begun, placement.cpu);
    if (status)
        return status;
    warn_of_aslr(begun->manifest, &placement);
    err = note_begin(begun);
    if (err)
        return amp_loop_give_up(&begun->loop, err);
    amp_quiet_wait_begin(&begun->loop.quiet_wait, amp_clock_monotonic, *request->quiet_ns,
                         *request->no_wait ? 0 : begun->loop.verb->quiet_share);
    return end(&begun->loop, amp_loop_run(&begun->loop));
}

int amp_run(const struct amp_run_verb *verb, void *run, const struct amp_run_request *request)
{
    struct begun begun = { .loop = { .verb = verb, .run = run, .dir = request->dir, .start = amp_process_run },
                           .request = request };
    int status = request->resume ? begin_old(&begun) : begin_new(&begun);

    if (!status)
        status = run_begun(&begun);
    amp_journal_close(begun.loop.journal);
    amp_jobs_free(&begun.loop.jobs);
    json_decref(begun.manifest);
    return status;
}
