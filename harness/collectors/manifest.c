/* SPDX-License-Identifier: MIT */
#include "harness/collectors/manifest.h"

#include "harness/build_info.h"
#include "harness/files/results.h"
#include "harness/machine/machine.h"

struct manifest {
    struct amp_collectors_options options;
    const char *version, *created;
    json_t *machine, *build, *programs;
};

#define FIELD(member, ...) AMP_FIELD(struct manifest, member, __VA_ARGS__)
#define LIST(name, member, n, ...) AMP_LIST_AS(name, struct manifest, options.member, options.n, __VA_ARGS__)

static const struct amp_record begun = {
    AMP_FIELDS(FIELD(options.quick), FIELD(options.seed),
               AMP_GROUP("settings",
                         AMP_OF(LIST("collectors", collectors, n_collectors), LIST("workloads", workloads, n_workloads),
                                LIST("gogc", gogc, n_gogc, .least = 1), LIST("live_b", live_b, n_live, .least = 1),
                                FIELD(options.launches, .least = 1, .most = 100),
                                FIELD(options.turnover, .least = 1),
                                FIELD(options.cycles, .least = 1, .is_optional = true),
                                FIELD(options.pauses, .least = 1),
                                FIELD(options.timeout_s, .least = 1, .most = 86400), FIELD(options.memory_limit_b),
                                FIELD(options.quiet_ns, .least = 1), FIELD(options.by_name, .is_optional = true),
                                FIELD(options.no_wait, .is_optional = true)))),
};

const struct amp_record amp_collectors_record = {
    AMP_FIELDS(FIELD(version), FIELD(created), AMP_WORDS(struct manifest, options.command), AMP_GROUP("", &begun),
               FIELD(machine), FIELD(build), FIELD(programs)),
    .schema = "ampersand/gc/1",
};

json_t *amp_collectors_manifest(const struct amp_collectors_options *options, json_t *programs)
{
    char created[32];
    const struct manifest manifest = { .options = *options, .version = AMP_VERSION, .created = amp_results_now(created),
                                       .machine = amp_machine_facts(), .build = amp_machine_build(),
                                       .programs = programs };

    return amp_record_write(&amp_collectors_record, &manifest);
}

int amp_collectors_restore(const json_t *manifest, struct amp_collectors_options *options, const char **why)
{
    struct manifest m = { .options = *options };
    int err;

    m.options.no_wait = m.options.by_name = false;
    m.options.cycles = 0;
    err = amp_record_read(&begun, manifest, &m, why);
    *options = m.options;
    return err;
}
