/* SPDX-License-Identifier: MIT
 *
 * What tests ask about configurations, without measuring anything:
 *
 *     judge_configuration list DIR [WORD ...]     the configurations of DIR, or those that the words ask for
 *     judge_configuration judge DIR WORD FACTS    the judgement of the facts that a probe has written */
#include "harness/allocators/configuration/configuration.h"
#include "harness/allocators/provenance/provenance.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "ampersand: %s: %s\n", what, why);
    return 2;
}

static int print(json_t *value)
{
    int err = value ? json_dumpf(value, stdout, JSON_INDENT(1)) : -1;

    json_decref(value);
    return err ? fail("json", "it cannot be written") : 0;
}

static int list(const struct amp_configurations *configurations)
{
    json_t *array = json_array();

    for (size_t i = 0; i < configurations->n; i++)
        json_array_append_new(array, amp_configuration_json(&configurations->list[i]));
    return print(array);
}

static int judge(const struct amp_configurations *configurations, const char *file)
{
    json_error_t error;
    json_t *facts = json_load_file(file, 0, &error);
    int status = facts ? print(amp_provenance_judge(&configurations->list[0], facts)) : fail(file, error.text);

    json_decref(facts);
    return status;
}

int main(int argc, char **argv)
{
    struct amp_configurations shipped, asked = { .n = 0 };
    const char *why;
    bool is_judge = argc == 5 && strcmp(argv[1], "judge") == 0;
    int status = 0;

    if (!is_judge && (argc < 3 || strcmp(argv[1], "list") != 0))
        return fail("judge_configuration", "wants list DIR [WORD ...] or judge DIR WORD FACTS");
    if (amp_configurations_read_dir(argv[2], &shipped, &why))
        return fail(argv[2], why);
    for (int i = 3; i < (is_judge ? 4 : argc) && !status; i++)
        if (amp_configurations_add(&asked, &shipped, argv[i], &why))
            status = fail("--config", why);
    if (!status)
        status = is_judge ? judge(&asked, argv[4]) : list(argc > 3 ? &asked : &shipped);
    amp_configurations_free(&asked);
    amp_configurations_free(&shipped);
    return status;
}
