/* SPDX-License-Identifier: MIT
 *
 * ampersand-ab: does a run of `ab` by the run engine. plots/ab prepares the sides and judges the run.
 *
 *   ampersand-ab run SETTINGS DIR     a new run in DIR; SETTINGS is a JSON file: settings, rows, sides, command
 *   ampersand-ab more DIR [ROWS]      do what is left of it; with ROWS, a file, visit these rows again
 *   ampersand-ab count MODULE LIST    what kernels allocate and execute: see count.h */
#include "harness/ab/count.h"
#include "harness/ab/launch/modules.h"
#include "harness/ab/plan.h"
#include "harness/build_info.h"
#include "harness/files/results.h"
#include "harness/machine/machine.h"
#include "harness/run/process.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "ampersand/ab-manifest/1"

struct ab {
    struct amp_ab_plan plan;
    const char *file; /* of a new run's settings */
    json_t *given;    /* they; of an existing run its manifest */
};

/* Fill in the plan from the settings of a new run, or from a manifest. */
static int take(struct ab *ab, const char **why)
{
    struct amp_ab_settings *settings = &ab->plan.settings;
    int err = amp_record_read(&amp_ab_settings_record, json_object_get(ab->given, "settings"), settings, why);

    if (!err)
        err = amp_ab_plan_rows(&ab->plan, ab->given, why);
    if (!err && (settings->n_looks == 0 || settings->layouts > AMP_AB_PARTS * AMP_AB_LAYOUTS)) {
        *why = "its looks or layouts are none that this program knows";
        err = -EPROTO;
    }
    return err;
}

static int restore(void *run, const json_t *manifest, const char **why)
{
    struct ab *ab = run;

    ab->given = json_incref((json_t *) (uintptr_t) manifest);
    return take(ab, why);
}

static int choose(void *run)
{
    struct ab *ab = run;
    json_error_t error;
    const char *why = "";

    if (ab->given)
        return 0;
    ab->given = json_load_file(ab->file, JSON_REJECT_DUPLICATES, &error);
    if (!ab->given)
        return amp_complain(AMP_RUN_UNUSABLE, ab->file, "line %d: %s", error.line, error.text);
    return take(ab, &why) ? amp_complain(AMP_RUN_UNUSABLE, ab->file, "%s", why) : 0;
}

/* The settings as they were given, and what is only known here. */
static json_t *manifest(void *run, const char **why)
{
    const struct ab *ab = run;
    char created[32];
    json_t *made = json_deep_copy(ab->given), *settings = json_object_get(made, "settings");

    if (!json_object_get(made, "schema")) { /* of a new run */
        json_object_set_new(settings, "quiet_ns", json_integer((json_int_t) ab->plan.settings.quiet_ns));
        json_object_update_new(made, json_pack("{s:s, s:s, s:s, s:[{s:s}]}", "schema", SCHEMA, "version", AMP_VERSION,
                                               "created", amp_results_now(created), "configurations", "name",
                                               AMP_AB_CONFIGURATION));
    }
    json_object_update_new(made, json_pack("{s:o, s:o}", "machine", amp_machine_facts(), "build", amp_machine_build()));
    *why = strerror(ENOMEM);
    return made;
}

static uint64_t need_b(const void *run)
{
    return amp_ab_plan_need_b(&((const struct ab *) run)->plan);
}

static int make(void *run, int cpu, struct amp_jobs *out)
{
    struct ab *ab = run;
    const char *why = "";

    ab->plan.cpu = cpu;
    if (amp_ab_plan_jobs(&ab->plan, out, &why))
        return amp_complain(AMP_RUN_UNUSABLE, ab->plan.dir, "%s", why);
    if (!ab->plan.rows_file)
        return 0;
    for (size_t i = 0; i < out->n; i++) /* what the run had before is not run again */
        out->list[i].state = access(out->list[i].file, F_OK) == 0 ? AMP_JOB_DONE : AMP_JOB_LOST;
    if (amp_ab_plan_look(&ab->plan, out, &why))
        return amp_complain(AMP_RUN_UNUSABLE, "rows", "%s", why);
    out->event = "extend";
    out->fields = amp_ab_plan_event(&ab->plan);
    return 0;
}

static int accept(void *run, const struct amp_job *job, struct amp_outcome *outcome)
{
    (void) run;
    (void) job;
    (void) outcome;
    return 0;
}

/* The launching program lies beside this one. */
static int find_launcher(char *out, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", out, size - 1);

    if (length < 0 || (size_t) length + sizeof "-launch" > size)
        return amp_complain(AMP_RUN_UNUSABLE, "ampersand-ab", "cannot find out where it lies");
    strcpy(out + length, "-launch");
    return access(out, X_OK) == 0 ? 0 : amp_complain(AMP_RUN_UNUSABLE, out, "%s", strerror(errno));
}

static int run(struct ab *ab, bool is_new)
{
    static const struct amp_manifest_part parts[] = { { "rows", NULL, "the kernels" },
                                                      { "sides", NULL, "the sides" },
                                                      { 0 } };
    static const struct amp_run_verb verb = {
        .schema = SCHEMA,
        .parts = parts,
        .quiet_share = 0.1,
        .restore = restore,
        .choose = choose,
        .manifest = manifest,
        .need_b = need_b,
        .make = make,
        .accept = accept,
    };
    const struct amp_run_request request = { .dir = ab->plan.dir,
                                             .resume = !is_new,
                                             .no_wait = &ab->plan.settings.no_wait,
                                             .quiet_ns = &ab->plan.settings.quiet_ns };
    int status = find_launcher(ab->plan.launcher, sizeof ab->plan.launcher);

    amp_process_follow();
    if (!status)
        status = amp_run(&verb, ab, &request);
    amp_ab_plan_free(&ab->plan);
    json_decref(ab->given);
    return status;
}

static const struct amp_ab_kernel *load(const char *path, const char *kernel, char *why, size_t size)
{
    const struct amp_ab_module module = { .path = path, .kernel = kernel, .as_mapped = true };

    return amp_ab_module_load(&module, why, size);
}

int main(int argc, char **argv)
{
    struct ab ab = { .file = NULL };

    if (argc == 4 && strcmp(argv[1], "run") == 0) {
        ab.file = argv[2];
        ab.plan.dir = argv[3];
        return run(&ab, true);
    }
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "more") == 0) {
        ab.plan.dir = argv[2];
        ab.plan.rows_file = argc == 4 ? argv[3] : NULL;
        return run(&ab, false);
    }
    if (argc == 4 && strcmp(argv[1], "count") == 0)
        return amp_ab_count(&(struct amp_ab_counting){ load, argv[2] }, argv[3]);
    return amp_complain(2, "ampersand-ab", "'./ampersand ab' starts it: run SETTINGS DIR, more DIR [ROWS], or count "
                                           "MODULE LIST");
}
